"""Two-person approval: one person proposes a payment, another of the same member approves it, and never the same."""

from hansa.contract import Amount, Contract, Duration, Instant, Party, Record, Text, User, action, event, require

PATIENCE_DAYS = 3


class TwoPersonApproval(Contract, version="1.0.0"):
    class Roles:
        # Bound to the payment's field of this name, so both are of one member; and the person who signs for it needs
        # the attribute. The member's own key is no person, so it can do neither.
        payer: Party = Party(user="may:pay")

    class States:
        Proposed: "another person decides"
        Approved: "may be paid out"
        Rejected: "closed"

    class Payment(Record, key="id", index=["payer"]):
        """What is to be paid. No action changes it: who approves it approves what was proposed."""

        id: Text[1, 16]
        payer: Party
        to: Party
        amount: Amount
        purpose: Text[1, 140]
        proposer: User
        until: Instant
        approver: User | None = None

    @action(by="payer", creates="Payment", to="Proposed")
    def propose(tx, payment: Payment, id: Text[1, 16], to: Party, amount: Amount, purpose: Text[1, 140]):
        """The first person says who is to be paid what."""
        require(amount.minor > 0, "a payment is positive")
        require(to != payment.payer, "{to} cannot pay itself", to=to)
        payment.proposer = tx.user
        payment.until = tx.time + Duration(days=PATIENCE_DAYS)

    @action(by="payer", on="Proposed", to="Approved")
    def approve(tx, payment: Payment):
        """The second person agrees, while somebody still remembers why."""
        require(tx.user != payment.proposer, "{who} proposed it; another person approves", who=tx.user)
        require(tx.time < payment.until, "the proposal ended at {t}; propose it again", t=payment.until)
        payment.approver = tx.user
        event("payment.approved", id=payment.id, to=payment.to, amount=payment.amount)

    @action(by="payer", on="Proposed", to="Rejected")
    def reject(tx, payment: Payment):
        """Either person stops it: it takes two to pay, and one not to."""
        event("payment.rejected", id=payment.id, by=tx.user)
