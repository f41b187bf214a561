"""Allow-list: only members who are on it may trade, as of now and not as of when they began."""

from hansa.contract import Amount, Contract, Date, Party, Record, Text, action, become, event, require, view


class AllowList(Contract, version="1.0.0"):
    class Roles:
        keeper: Party = Party(attribute="role:compliance")
        seller: Party
        buyer: Party

    class Listing(Record, key="member", index=["until"]):
        """A member that may trade. Who has none may not: what nobody decided is denied."""

        class States:
            Allowed: "may trade until its day"
            Barred: "may not"

        member: Party
        until: Date
        reason: Text[1, 200]

    class Order(Record, key="id", index=["seller", "buyer"]):
        """What the list is for: a deal between two members."""

        class States:
            Placed: "the buyer may fill it"
            Filled: "closed"

        id: Text[1, 16]
        seller: Party
        buyer: Party
        price: Amount

    @action(by="keeper")
    def admit(tx, member: Party, until: Date, reason: Text[1, 200]):
        """Lets a member trade until a day, itself included; again after it was barred, too."""
        require(until >= tx.date, "{d} has passed", d=until)
        require(member != tx.member, "{m} cannot admit itself", m=member)
        listing = AllowList.Listing.find(member)
        if listing is None:
            AllowList.Listing.create(member=member, until=until, reason=reason, state="Allowed")
        else:
            listing.until = until
            listing.reason = reason
            become(listing, "Allowed")
        event("member.admitted", member=member, until=until)

    @action(by="keeper", on="Allowed", to="Barred")
    def bar(tx, listing: Listing, reason: Text[1, 200]):
        """Ends it from the next entry on. The listing stays, and its history says why and when."""
        listing.reason = reason
        event("member.barred", member=listing.member)

    @action(by="seller", creates="Order", to="Placed")
    def place(tx, order: Order, id: Text[1, 16], buyer: Party, price: Amount):
        """Places an order between two who are both on the list."""
        require(buyer != order.seller, "{b} cannot buy from itself", b=buyer)
        for member in [order.seller, buyer]:
            listing = AllowList.Listing.find(member)
            require(listing is not None, "{m} is not on the list", m=member)
            require(listing.state == "Allowed", "{m} was barred", m=member)
            require(tx.date <= listing.until, "{m} was on the list until {d}", m=member, d=listing.until)

    @action(by="buyer", on="Placed", to="Filled")
    def fill(tx, order: Order):
        """Both are asked for again: one may have been barred since the order was placed."""
        for member in [order.seller, order.buyer]:
            listing = AllowList.Listing.get(member)
            require(listing.state == "Allowed", "{m} was barred", m=member)
            require(tx.date <= listing.until, "{m} was on the list until {d}", m=member, d=listing.until)
        event("order.filled", id=order.id, price=order.price)

    @view
    def is_allowed(tx, member: Party) -> bool:
        """For other contracts: whether a member may trade at this entry."""
        listing = AllowList.Listing.find(member)
        if listing is None:
            return False
        return listing.state == "Allowed" and tx.date <= listing.until
