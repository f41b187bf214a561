"""Escrow: a buyer's money is set aside until the goods are there, and goes to one side or the other, exactly once."""

from hansa.contract import Amount, Contract, Instant, Party, Record, Text, action, event, require, schedule, view


class Escrow(Contract, version="1.0.0"):
    class Roles:
        bank: Party = Party(attribute="licence:bank")
        buyer: Party
        seller: Party
        arbiter: Party

    class Account(Record, key="owner"):
        """What a member has to spend."""

        owner: Party
        balance: Amount

    class Deal(Record, key="id", index=["buyer", "seller"]):
        """Money that is neither the buyer's nor the seller's until somebody says whose it is."""

        class States:
            Funded: "the money is set aside"
            Released: "the seller has it"
            Refunded: "the buyer has it back"
            Decided: "the arbiter has divided it"

        id: Text[1, 16]
        buyer: Party
        seller: Party
        arbiter: Party
        amount: Amount
        until: Instant

    @action(by="bank", creates="Account")
    def open(tx, account: Account, owner: Party, balance: Amount):
        """Opens a member's account with what the bank holds for it."""

    @action(by="buyer", creates="Deal", to="Funded")
    def fund(tx, deal: Deal, id: Text[1, 16], seller: Party, arbiter: Party, amount: Amount, until: Instant):
        """Sets the money aside. If nobody says anything until `until`, it goes back."""
        require(amount.minor > 0, "the amount is positive")
        require(seller != deal.buyer, "{s} cannot sell to itself", s=seller)
        require(arbiter != deal.buyer and arbiter != seller, "{a} cannot judge its own deal", a=arbiter)
        # The buyer's own account, found by who signed: were it an argument, one could pay from another's.
        account = Escrow.Account.get(deal.buyer)
        require(account.balance >= amount, "{b} does not cover {a}", b=account.balance, a=amount)
        account.balance -= amount
        # A seller without an account of this currency could never be paid.
        require(Escrow.Account.get(seller).balance.currency == amount.currency, "{s} takes another currency", s=seller)
        schedule(deal, "expire", until)

    @action(by="buyer", on="Funded", to="Released")
    def release(tx, deal: Deal):
        """The buyer has what was bought. The state ends every other way for the money at once."""
        account = Escrow.Account.get(deal.seller)
        account.balance += deal.amount
        event("escrow.released", id=deal.id, to=deal.seller, amount=deal.amount)

    @action(by="seller", on="Funded", to="Refunded")
    def refund(tx, deal: Deal):
        """The seller gives up: nobody else can for it."""
        account = Escrow.Account.get(deal.buyer)
        account.balance += deal.amount
        event("escrow.refunded", id=deal.id, amount=deal.amount)

    @action(by="arbiter", on="Funded", to="Decided")
    def decide(tx, deal: Deal, percent_to_seller: int):
        """The arbiter divides it. Both parts come from one split, so that they sum up to the cent."""
        require(percent_to_seller >= 0 and percent_to_seller <= 100, "a percentage is 0 to 100")
        parts = deal.amount.split_by([percent_to_seller, 100 - percent_to_seller])
        seller = Escrow.Account.get(deal.seller)
        seller.balance += parts[0]
        buyer = Escrow.Account.get(deal.buyer)
        buyer.balance += parts[1]
        event("escrow.decided", id=deal.id, to_seller=parts[0], to_buyer=parts[1])

    @action(by="schedule", on="Funded", to="Refunded")
    def expire(tx, deal: Deal):
        """Ledger time takes it when `until` comes; on any other state it finds nothing to do, and is refused."""
        account = Escrow.Account.get(deal.buyer)
        account.balance += deal.amount
        event("escrow.expired", id=deal.id, amount=deal.amount)

    @view
    def balance_of(tx, account: Account) -> Amount:
        """What an account holds."""
        return account.balance
