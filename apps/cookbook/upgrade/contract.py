"""Invoices, the second version: any currency, a day when they are due, and payments in part.

Every invoice of the first version goes on in this one, by `from_first`.
"""

from hansa.contract import Amount, Contract, Date, Int, Party, Record, Struct, Text
from hansa.contract import action, event, invariant, migration, require, view

CREDIT_DAYS = 30


class FirstInvoice(Struct):
    """An invoice as version 1.0.0 stored it: exactly its fields."""

    id: Text[1, 16]
    seller: Party
    buyer: Party
    cents: Int[1, 100000000]
    issued: Date
    paid: bool


class Invoices(Contract, version="2.0.0"):
    class Roles:
        seller: Party
        buyer: Party

    class Invoice(Record, key="id", index=["buyer"]):
        id: Text[1, 16]
        seller: Party
        buyer: Party
        amount: Amount
        received: Amount
        issued: Date
        due: Date

        @invariant
        def within(invoice):
            require(invoice.received <= invoice.amount, "{r} is more than was billed", r=invoice.received)

        @migration
        def from_first(invoice, old: FirstInvoice):
            # Fields of the same name and kind are there already: id, seller, buyer, issued.
            invoice.amount = Amount(old.cents, "USD")
            invoice.received = invoice.amount if old.paid else Amount(0, "USD")
            invoice.due = old.issued.add_days(CREDIT_DAYS)

    @action(by="seller", creates="Invoice")
    def issue(tx, invoice: Invoice, id: Text[1, 16], buyer: Party, amount: Amount):
        """Bills a buyer."""
        require(amount.minor > 0, "an invoice is positive")
        invoice.received = Amount(0, amount.currency)
        invoice.issued = tx.date
        invoice.due = tx.date.add_days(CREDIT_DAYS)

    @action(by="seller")
    def receive(tx, invoice: Invoice, payment: Amount):
        """The seller has been paid, in part or in full; the invariant refuses more than that."""
        require(payment.minor > 0, "a payment is positive")
        invoice.received += payment
        event("invoice.received", id=invoice.id, payment=payment)

    @view
    def owed(tx, invoice: Invoice) -> Amount:
        """What is still to be paid."""
        return invoice.amount - invoice.received
