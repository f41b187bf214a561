"""Auction with sealed bids: first everybody commits to a bid by its digest, then everybody reveals it.

A digest is of `LOT/ACCOUNT/MINOR/SALT`: it names the bidder's account, so that who copies it can never reveal it; and
the salt, which the bidder keeps secret until then, keeps others from guessing the bid.
"""

from hansa.contract import Amount, Contract, Hash, Instant, Int, Party, Record, Text
from hansa.contract import action, become, event, require, schedule, sha256

BIDS_MAX = 50


class Auction(Contract, version="1.0.0"):
    class Roles:
        bank: Party = Party(attribute="licence:bank")
        seller: Party
        bidder: Party

    class Account(Record, key="number", index=["owner"]):
        """A member's money; the number stands in its bids."""

        number: Text[1, 16]
        owner: Party
        balance: Amount

    class Lot(Record, key="id", index=["seller"]):
        """What is sold. Every bid leaves the same deposit, which says nothing about how high it is."""

        class States:
            Open: "bids are committed, then revealed"
            Sold: "the best bid has it"
            Unsold: "nobody revealed a bid"

        id: Text[1, 16]
        seller: Party
        payee: Account
        what: Text[1, 200]
        least: Amount
        deposit: Amount
        commit_until: Instant
        reveal_until: Instant
        bids: Int[0, 50] = 0
        best: Bid | None = None

    class Bid(Record, key="id", index=["lot"]):
        """LOT/ACCOUNT: one bid for each account. `held` is what lies in the auction for it."""

        class States:
            Committed: "its deposit is forfeited if it is not revealed"
            Revealed: "counts; its deposit is back, or in the price"

        id: Text[3, 33]
        lot: Lot
        bidder: Party
        account: Account
        digest: Hash
        order: Int[1, 50]
        held: Amount
        amount: Amount | None = None

    @action(by="bank", creates="Account")
    def open(tx, account: Account, number: Text[1, 16], owner: Party, balance: Amount):
        """Opens an account."""
        require("/" not in number, "a number has no slash")

    @action(by="seller", creates="Lot", to="Open")
    def offer(
        tx,
        lot: Lot,
        id: Text[1, 16],
        payee: Account,
        what: Text[1, 200],
        least: Amount,
        deposit: Amount,
        commit_until: Instant,
        reveal_until: Instant,
    ):
        """Offers a lot, to be sold for `least` at least."""
        require("/" not in id, "an id has no slash")
        require(payee.owner == lot.seller, "{n} is not {s}'s account", n=payee.number, s=lot.seller)
        require(payee.balance.currency == least.currency, "{n} is in another currency", n=payee.number)
        require(deposit.minor > 0 and deposit <= least, "the deposit is positive, and at most the least price")
        require(tx.time < commit_until and commit_until < reveal_until, "committing ends before revealing does")
        schedule(lot, "finish", reveal_until)

    @action(by="member", on="Open")
    def commit(tx, lot: Lot, account: Account, digest: Hash):
        """Commits to a bid, and leaves the deposit."""
        require(tx.time < lot.commit_until, "bids were committed until {t}", t=lot.commit_until)
        require(account.owner == tx.member, "{n} is not {m}'s account", n=account.number, m=tx.member)
        require(tx.member != lot.seller, "{m} sells it", m=tx.member)
        require(account.balance >= lot.deposit, "{b} does not cover the deposit", b=account.balance)
        require(lot.bids < BIDS_MAX, "a lot takes at most {n} bids", n=BIDS_MAX)
        account.balance -= lot.deposit
        lot.bids += 1
        Auction.Bid.create(
            id=lot.id + "/" + account.number,
            lot=lot,
            bidder=tx.member,
            account=account,
            digest=digest,
            order=lot.bids,
            held=lot.deposit,
            state="Committed",
        )

    @action(by="bidder", on="Committed", to="Revealed")
    def reveal(tx, bid: Bid, amount: Amount, salt: Text[16, 64]):
        """Shows the bid. What it needs is taken now, so that who wins can pay; who is outbid has it back at once."""
        lot = bid.lot
        account = bid.account
        require(tx.time >= lot.commit_until, "bids are committed until {t}: keep yours secret", t=lot.commit_until)
        require(tx.time < lot.reveal_until, "bids were revealed until {t}", t=lot.reveal_until)
        shown = lot.id + "/" + account.number + "/" + str(amount.minor) + "/" + salt
        require(sha256(shown) == bid.digest, "this is not the bid that was committed")
        require(amount >= lot.least, "the lot is sold for {l} at least", l=lot.least)
        bid.amount = amount
        account.balance += bid.held
        bid.held = Amount(0, amount.currency)
        require(account.balance >= amount, "{b} does not cover the bid", b=account.balance)
        best = lot.best
        wins = True
        if best is not None:
            # Of equal bids the one committed first wins: that order is fixed before anybody shows anything.
            wins = amount > best.amount or (amount == best.amount and bid.order < best.order)
        if wins:
            if best is not None:
                outbid = best.account
                outbid.balance += best.held
                best.held = Amount(0, amount.currency)
            account.balance -= amount
            bid.held = amount
            lot.best = bid
        event("bid.revealed", id=bid.id, amount=amount)

    @action(by="schedule", on="Open", to=["Sold", "Unsold"])
    def finish(tx, lot: Lot):
        """Pays the seller the price, and the deposits of bids that were never shown."""
        payee = lot.payee
        for bid in Auction.Bid.select(by="lot", equal=lot, limit=BIDS_MAX):
            payee.balance += bid.held
            bid.held = Amount(0, bid.held.currency)
        best = lot.best
        if best is None:
            become(lot, "Unsold")
            event("lot.unsold", id=lot.id)
        else:
            become(lot, "Sold")
            event("lot.sold", id=lot.id, to=best.bidder, price=best.amount)
