"""Delivery against payment: a security and its price change hands in one step, or neither does."""

from hansa.contract import Amount, Contract, Date, Int, Party, Record, Text, action, event, require

GRACE_DAYS = 2


class DeliveryAgainstPayment(Contract, version="1.0.0"):
    class Roles:
        bank: Party = Party(attribute="licence:bank")
        seller: Party
        buyer: Party

    class Account(Record, key="owner"):
        """A member's cash."""

        owner: Party
        balance: Amount

    class Holding(Record, key="number", index=["owner"]):
        """A safekeeping account: so many units of one security."""

        number: Text[1, 16]
        owner: Party
        security: Text[12, 12]
        units: Int[0, 1000000000]

    class Trade(Record, key="id", index=["seller", "buyer"]):
        """What both sides have agreed to; its terms never change."""

        class States:
            Proposed: "the buyer has not affirmed it"
            Affirmed: "settles from its day on"
            Settled: "both legs are done"
            Cancelled: "neither leg is done"

        id: Text[1, 16]
        seller: Party
        buyer: Party
        source: Holding
        target: Holding | None = None
        units: Int[1, 1000000000]
        price: Amount
        day: Date

    @action(by="bank", creates="Account")
    def open_account(tx, account: Account, owner: Party, balance: Amount):
        """Opens a cash account."""

    @action(by="bank", creates="Holding")
    def open_holding(tx, holding: Holding, number: Text[1, 16], owner: Party, security: Text[12, 12], units: int):
        """Opens a safekeeping account."""

    @action(by="seller", creates="Trade", to="Proposed")
    def propose(
        tx,
        trade: Trade,
        id: Text[1, 16],
        buyer: Party,
        source: Holding,
        units: Int[1, 1000000000],
        price: Amount,
        day: Date,
    ):
        """The seller says what it delivers, from which holding, for how much in all."""
        require(source.owner == trade.seller, "the holding {n} is not {s}'s", n=source.number, s=trade.seller)
        require(buyer != trade.seller, "{b} cannot buy from itself", b=buyer)
        require(day >= tx.date, "{d} has passed", d=day)

    @action(by="buyer", on="Proposed", to="Affirmed")
    def affirm(tx, trade: Trade, target: Holding):
        """The buyer agrees, and says where it wants the units."""
        require(target.owner == trade.buyer, "the holding {n} is not {b}'s", n=target.number, b=trade.buyer)
        require(target.security == trade.source.security, "{n} holds another security", n=target.number)
        trade.target = target

    @action(by=["seller", "buyer"], on="Affirmed", to="Settled")
    def settle(tx, trade: Trade):
        """Moves both legs. Whatever is refused here moves neither, and can be tried again when it is mended."""
        require(tx.date >= trade.day, "it settles from {d} on", d=trade.day)
        source = trade.source
        target = trade.target
        require(source.units >= trade.units, "{s} has {n} of {m} units", s=trade.seller, n=source.units, m=trade.units)
        payer = DeliveryAgainstPayment.Account.get(trade.buyer)
        payee = DeliveryAgainstPayment.Account.get(trade.seller)
        require(payer.balance >= trade.price, "{b} has {h} of {p}", b=trade.buyer, h=payer.balance, p=trade.price)
        source.units -= trade.units
        target.units += trade.units
        payer.balance -= trade.price
        payee.balance += trade.price
        event("trade.settled", id=trade.id, units=trade.units, price=trade.price)

    @action(by=["seller", "buyer"], on=["Proposed", "Affirmed"], to="Cancelled")
    def cancel(tx, trade: Trade):
        """Ends it. What both have agreed to can be left only after its day and some days of grace."""
        require(
            trade.state == "Proposed" or tx.date > trade.day.add_days(GRACE_DAYS),
            "it was affirmed, and can be cancelled after {d}",
            d=trade.day.add_days(GRACE_DAYS),
        )
