"""The example ledger: people pay each other, sell what they own, and send messages.

Accounts and titles really move: a payment needs cover, a sale needs ownership.
"""

from hansa.contract import Amount, Contract, Party, Record, Text, action, event, require, view


class ExampleLedger(Contract, version="1.0.0"):
    class Roles:
        registrar: Party = Party(attribute="role:registrar")
        owner: Party

    class Account(Record, key="owner"):
        """What a member has to spend, in one currency."""

        owner: Party
        balance: Amount

    class Title(Record, key="thing", index=["owner"]):
        """Who owns one thing."""

        thing: Text[1, 40]
        owner: Party

    @action(by="registrar", creates="Account")
    def open(tx, account: Account, owner: Party, balance: Amount):
        """Opens a member's account with what it starts with."""
        event("account.opened", owner=owner, balance=balance)

    @action(by="registrar", creates="Title")
    def register(tx, title: Title, thing: Text[1, 40], owner: Party):
        """Records who owns a thing."""
        event("title.registered", thing=thing, owner=owner)

    @action(by="owner")
    def pay(tx, account: Account, to: Account, amount: Amount):
        """Pays from the signer's account to another."""
        require(amount.minor > 0, "a payment must be positive")
        require(account.owner != to.owner, "{who} cannot pay itself", who=account.owner)
        require(
            account.balance >= amount,
            "{who} has {balance}, which does not cover {amount}",
            who=account.owner,
            balance=account.balance,
            amount=amount,
        )
        account.balance = account.balance - amount
        to.balance = to.balance + amount
        event("paid", sender=account.owner, to=to.owner, amount=amount)

    @action(by="owner")
    def sell(tx, title: Title, to: Party):
        """Hands the title of a thing that the signer owns to another member."""
        require(to != title.owner, "{to} owns the {thing} already", to=to, thing=title.thing)
        event("sold", thing=title.thing, sender=title.owner, to=to)
        title.owner = to

    @action(by="member")
    def tell(tx, to: Party, message: Text[1, 280]):
        """Puts a message to another member on record."""
        event("told", to=to, message=message)

    @view
    def balance_of(tx, account: Account) -> Amount:
        """What an account holds."""
        return account.balance
