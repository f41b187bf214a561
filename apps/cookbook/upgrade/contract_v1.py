"""Invoices, as they were first written: dollars in cents, paid or not."""

from hansa.contract import Contract, Date, Int, Party, Record, Text, action, require


class Invoices(Contract, version="1.0.0"):
    class Roles:
        seller: Party
        buyer: Party

    class Invoice(Record, key="id", index=["buyer"]):
        id: Text[1, 16]
        seller: Party
        buyer: Party
        cents: Int[1, 100000000]
        issued: Date
        paid: bool = False

    @action(by="seller", creates="Invoice")
    def issue(tx, invoice: Invoice, id: Text[1, 16], buyer: Party, cents: Int[1, 100000000]):
        """Bills a buyer."""
        invoice.issued = tx.date

    @action(by="seller")
    def receive(tx, invoice: Invoice):
        """The seller has been paid."""
        require(not invoice.paid, "it was paid")
        invoice.paid = True
