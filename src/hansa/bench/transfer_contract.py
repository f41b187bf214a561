"""A transfer between two of many accounts, as the PostgreSQL function in bench/postgres.py does."""

from hansa.contract import Contract, Int, Party, Record, Text, action, require


class Transfer(Contract, version="1.0.0"):
    class Roles:
        owner: Party

    class Account(Record, key="id"):
        id: Text[1, 16]
        owner: Party
        balance: Int[0, 1000000000000]

    @action(by="member", creates="Account")
    def open(tx, account: Account, id: Text[1, 16], owner: Party, balance: Int[0, 1000000000]):
        """Opens an account."""

    @action(by="owner")
    def pay(tx, account: Account, to: Account, amount: Int[1, 1000000]):
        """Moves money from the signer's account."""
        require(account.balance >= amount, "{balance} does not cover {amount}", balance=account.balance, amount=amount)
        account.balance -= amount
        to.balance += amount
