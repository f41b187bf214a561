"""Deadline: what is promised is done in time, or lapses by itself; who it is owed to can give more time."""

from hansa.contract import Contract, Hash, Instant, Party, Record, Text, action, event, require, schedule


class Deadline(Contract, version="1.0.0"):
    class Roles:
        debtor: Party
        creditor: Party

    class States:
        Open: "to be done before it is due"
        Done: "was done in time"
        Lapsed: "was not"

    class Duty(Record, key="id", index=["debtor", "creditor", "due"]):
        """Something that one member does for another before an instant."""

        id: Text[1, 16]
        debtor: Party
        creditor: Party
        what: Text[1, 200]
        due: Instant
        proof: Hash | None = None

    @action(by="debtor", creates="Duty", to="Open")
    def promise(tx, duty: Duty, id: Text[1, 16], creditor: Party, what: Text[1, 200], due: Instant):
        """Takes the duty on. What is due in the past is refused by `schedule`."""
        require(creditor != duty.debtor, "{c} cannot owe itself", c=creditor)
        schedule(duty, "lapse", due)

    @action(by="debtor", on="Open", to="Done")
    def perform(tx, duty: Duty, proof: Hash):
        """Does it. The state alone would not do: when very much is due at once, `lapse` may come a few blocks late."""
        require(tx.time < duty.due, "it was due at {d}", d=duty.due)
        duty.proof = proof
        event("duty.done", id=duty.id, proof=proof)

    @action(by="creditor", on="Open")
    def extend(tx, duty: Duty, due: Instant):
        """Gives more time. What is scheduled cannot be cancelled, so a second lapse is scheduled beside the first."""
        require(tx.time < duty.due, "it was due at {d}", d=duty.due)
        require(due > duty.due, "more time is after {d}", d=duty.due)
        duty.due = due
        schedule(duty, "lapse", due)

    @action(by="schedule", on="Open", to="Lapsed")
    def lapse(tx, duty: Duty):
        """Ledger time takes it. The one of before an extension comes too early, and is refused here."""
        require(tx.time >= duty.due, "it is due at {d} now", d=duty.due)
        event("duty.lapsed", id=duty.id, debtor=duty.debtor)
