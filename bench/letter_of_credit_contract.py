"""A standby letter of credit: one record of eleven fields, issued by a bank and drawn by the beneficiary."""

from hansa.contract import Amount, Contract, Date, Hash, Party, Record, Text, action, become, event, require


class LetterOfCredit(Contract, version="1.0.0"):
    class Roles:
        applicant: Party
        beneficiary: Party
        issuer: Party = Party(attribute="licence:bank")

    class States:
        Requested: "awaiting the bank"
        Issued: "in force"
        Presented: "documents under examination"
        Paid: "closed, drawn in full"

    class LC(Record, key="id", index=["applicant", "beneficiary", "expiry"]):
        id: Text[1, 16]
        applicant: Party
        beneficiary: Party
        issuer: Party
        amount: Amount
        drawn: Amount
        claim: Amount | None = None
        expiry: Date
        place: Text[1, 60]
        rules: Text[1, 20] = "ISP98"
        documents: list[Hash, 20] = []

    @action(by="applicant", creates="LC", to="Requested")
    def request(
        tx,
        lc: LC,
        id: Text[1, 16],
        beneficiary: Party,
        issuer: Party,
        amount: Amount,
        expiry: Date,
        place: Text[1, 60],
    ):
        """Asks a bank for a credit in the beneficiary's favour."""
        require(amount.minor > 0, "the amount must be positive")
        require(expiry > tx.date, "expiry {e} is not after today, {t}", e=expiry, t=tx.date)
        lc.drawn = Amount(0, amount.currency)

    @action(by="issuer", on="Requested", to="Issued")
    def issue(tx, lc: LC):
        """Puts the credit in force."""
        event("lc.issued", id=lc.id, amount=lc.amount)

    @action(by="beneficiary", on="Issued", to="Presented")
    def present(tx, lc: LC, claim: Amount, documents: list[Hash, 20]):
        """Presents documents and claims an amount."""
        available = lc.amount - lc.drawn
        require(tx.date <= lc.expiry, "the credit expired on {d}", d=lc.expiry)
        require(claim.minor > 0, "a claim must be positive")
        require(claim <= available, "the claim {c} exceeds the available {a}", c=claim, a=available)
        lc.claim = claim
        lc.documents = documents

    @action(by="issuer", on="Presented", to=["Paid", "Issued"])
    def examine(tx, lc: LC, complying: bool):
        """Examines what was presented, and honours it if it complies."""
        if complying:
            lc.drawn = lc.drawn + lc.claim
            event("lc.honoured", id=lc.id, to=lc.beneficiary, amount=lc.claim)
        lc.claim = None
        become(lc, "Paid" if lc.drawn == lc.amount else "Issued")
