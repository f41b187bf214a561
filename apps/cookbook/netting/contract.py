"""Netting: what members owe each other in a cycle is settled by one payment each, all of them or none."""

from hansa.contract import Amount, Contract, Int, Party, Record, SignedAmount, Text, action, event, require

CLAIMS_MAX = 100


class Netting(Contract, version="1.0.0"):
    class Roles:
        operator: Party = Party(attribute="role:netting")
        bank: Party = Party(attribute="licence:bank")
        debtor: Party
        creditor: Party

    class Account(Record, key="owner"):
        """What a member has to settle with."""

        owner: Party
        balance: Amount

    class Cycle(Record, key="id"):
        """Claims that are settled together, in one currency, and what the operator takes for it."""

        class States:
            Open: "claims come in"
            Settled: "closed"

        id: Text[1, 16]
        operator: Party
        fee: Amount
        claims: Int[0, 100] = 0

    class Claim(Record, key="id", index=["cycle"]):
        """What one member owes another."""

        class States:
            Counted: "is settled with its cycle"
            Waived: "is not owed any more"

        id: Text[1, 24]
        cycle: Cycle
        debtor: Party
        creditor: Party
        amount: Amount

    @action(by="bank", creates="Account")
    def open(tx, account: Account, owner: Party, balance: Amount):
        """Opens a member's account."""

    @action(by="operator", creates="Cycle", to="Open")
    def begin(tx, cycle: Cycle, id: Text[1, 16], fee: Amount):
        """Begins a cycle in the fee's currency."""

    @action(by="debtor", creates="Claim", to="Counted")
    def owe(tx, claim: Claim, id: Text[1, 24], cycle: Cycle, creditor: Party, amount: Amount):
        """Says what the signer owes: only who pays can make a claim count."""
        require(cycle.state == "Open", "the cycle {c} is settled", c=cycle.id)
        require(amount.minor > 0, "a claim is positive")
        require(amount.currency == cycle.fee.currency, "the cycle is in {c}", c=cycle.fee.currency)
        require(creditor != claim.debtor, "{c} cannot owe itself", c=creditor)
        # Counted here, so that `settle` is sure to see all: a `select` with a limit would leave some out in silence.
        require(cycle.claims < CLAIMS_MAX, "a cycle has at most {n} claims", n=CLAIMS_MAX)
        cycle.claims += 1

    @action(by="creditor", on="Counted", to="Waived")
    def waive(tx, claim: Claim):
        """Gives a claim up, as when its debtor cannot pay and everybody else waits."""
        require(claim.cycle.state == "Open", "the cycle {c} is settled", c=claim.cycle.id)

    @action(by="operator", on="Open", to="Settled")
    def settle(tx, cycle: Cycle):
        """Nets all claims and moves the money. If one member cannot pay, nobody does, and it is named."""
        nothing = SignedAmount(0, cycle.fee.currency)
        net: dict[Party, SignedAmount, 200] = {}
        turnover: dict[Party, int, 200] = {}
        for claim in Netting.Claim.select(by="cycle", equal=cycle, limit=CLAIMS_MAX):
            if claim.state == "Counted":
                net[claim.debtor] = net.get(claim.debtor, nothing) - claim.amount
                net[claim.creditor] = net.get(claim.creditor, nothing) + claim.amount
                turnover[claim.debtor] = turnover.get(claim.debtor, 0) + claim.amount.minor
                turnover[claim.creditor] = turnover.get(claim.creditor, 0) + claim.amount.minor
        require(len(net) > 0, "nothing is owed")
        # The fee is split, never computed share by share: shares that are rounded alone do not sum up to it.
        fees = cycle.fee.split_by(turnover.values())  # type: ignore
        at = 0
        for member, position in net.items():
            account = Netting.Account.get(member)
            after = account.balance.signed() + position - fees[at]
            require(after >= nothing, "{m} lacks {a}", m=member, a=-after)
            account.balance = after  # type: ignore
            at += 1
            event("netted", member=member, position=position)
        own = Netting.Account.get(cycle.operator)
        own.balance += cycle.fee
