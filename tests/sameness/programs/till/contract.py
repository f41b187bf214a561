"""A till — money moves between purses, or not."""

from hansa.contract import Amount, Contract, Party, Record, Text, action, event, require, view


class Till(Contract, version="1.0.0"):
    class Roles:
        registrar: Party = Party(attribute="role:registrar")
        owner: Party

    class Purse(Record, key="id", index=["owner"]):
        """What someone has.

            An indented line, and a tab's width of it.
        """

        id: Text[1, 16]
        owner: Party
        balance: Amount
        notes: list[Text[0, 40], 4] = []

    @action(by="registrar", creates="Purse")
    def open(tx, purse: Purse, id: Text[1, 16], owner: Party, balance: Amount):
        """Opens a purse."""
        event("opened", owner=owner, balance=balance)

    @action(by="owner")
    def pay(tx, purse: Purse, to: Purse, amount: Amount, note: Text[0, 40]):
        """Pays from the signer's purse."""
        require(amount.minor > 0, "nothing is paid")
        require(
            purse.balance
            >= amount,
            "{who} has {balance}, which does not cover {amount}",
            who=purse.owner,
            balance=purse.balance,
            amount=amount,
        )
        purse.balance = purse.balance - amount
        to.balance = to.balance + amount
        to.notes = to.notes + [note]
        event("paid", sender=purse.owner, to=to.owner, amount=amount, note=note, time=tx.time)

    @view
    def notes_of(tx, purse: Purse) -> list[Text[0, 40], 4]:
        """What was written on payments."""
        return purse.notes
