"""Standby letters of credit: a bank's undertaking to pay a beneficiary against documents, from application to expiry.

Rules are named where they are kept: ISP98 (International Standby Practices) and UCP 600 of the ICC, in our own words.
Not in this first form: amendments, transfer, extend or pay, reduction, release or cancellation before expiry (ISP98
7.01), terms that forbid partial or multiple drawings, a place that is closed on the last day (ISP98 3.14, UCP 600 36), a
waiver of discrepancies, a confirming bank's own examination, the bank's credit line.
"""

from hansa.contract import Amount, Contract, Date, Duration, Enum, Hash, Instant, Int, Interface, Party, Record, Struct, Text
from hansa.contract import User, action, become, event, invariant, require, schedule, view


class Rules(Enum):
    ISP98 = "International Standby Practices 1998"
    UCP600 = "Uniform Customs and Practice for Documentary Credits, 2007 revision"


class Disposal(Enum):
    """What becomes of documents that are refused (ISP98 5.07, UCP 600 16(c)(iii))."""

    Held = "held at the presenter's disposal"
    Returned = "returned to the presenter"
    Waiver = "held until the applicant waives and the issuer agrees, or the presenter disposes of them"
    Instructed = "dealt with as the presenter said before"


class Document(Struct):
    """A document by its name and the SHA-256 of its bytes: it is the parties that hold it."""

    name: Text[1, 100]
    digest: Hash


class Calendars(Interface, contract="calendars"):
    @view
    def add_business_days(tx, place: Text[2, 12], day: Date, days: Int[-260, 260]) -> Date: ...

    @view
    def close_of_business(tx, place: Text[2, 12], day: Date) -> Instant: ...

    @view
    def business_days(tx, place: Text[2, 12], day: Date, most: Int[0, 60]) -> list[Date, 61]: ...

    @view
    def day_counted(tx, place: Text[2, 12], instant: Instant) -> Date | None: ...


def examination_days(rules: Rules) -> int:
    """Business days after the day of presentation within which the issuer gives notice, or is late.

    ISP98 5.01(a): more than seven are always late. UCP 600 14(b): five at most.
    """
    return 7 if rules == Rules.ISP98 else 5


SAFE_DAYS = 3

# Days of any kind that an examination takes at most, and that an expiry moves at most: whatever calendars say.
LONGEST_DAYS = 21

REFERENCE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-?:().,'+ "


def is_reference(text: Text[1, 16]) -> bool:
    """Whether it could stand in field 20 of a SWIFT message, and shows something: a message must be able to name it."""
    if text.startswith("/") or text.endswith("/") or "//" in text or text.startswith(" ") or text.endswith(" "):
        return False
    for place in range(len(text)):
        if text[place] not in REFERENCE:
            return False
    return True


def goes_on(expiry: Date, until: Date | None, is_stopped: bool) -> bool:
    """Whether an undertaking has another year after its expiry date: its clause says so and no notice has ended it."""
    return until is not None and not is_stopped and expiry.add_months(12) <= until


class LetterOfCredit(Contract, version="1.0.0"):
    class Roles:
        applicant: Party
        issuer: Party = Party(attribute="licence:bank")
        adviser: Party = Party(attribute="licence:bank")
        beneficiary: Party

    class Undertaking(Record, key="id", index=["applicant", "issuer", "beneficiary", "expiry"]):
        """One standby. `wording` is the SHA-256 of its text in `version`; the parties hold the text.

        With `extends_until`, it goes on for another year at each expiry, not beyond that day, unless the issuer gives
        notice so many days before that it does not (`is_stopped`).
        """

        class States:
            Draft: "the wording is being agreed"
            Agreed: "applicant and issuer have signed the same wording"
            Prepared: "one person at the issuer has prepared the issue"
            Issued: "binding: another person has released it"
            Advised: "the beneficiary has it from its bank"
            Exhausted: "drawn in full"
            Expired: "its last day has passed"
            Withdrawn: "the applicant withdrew it, or the issuer declined, before it was issued"

        id: Text[1, 16]
        applicant: Party
        issuer: Party
        adviser: Party
        beneficiary: Party
        rules: Rules
        amount: Amount
        drawn: Amount
        expiry: Date
        extends_until: Date | None = None
        notice_days: Int[0, 365]
        is_stopped: bool = False
        place: Text[2, 12]
        may_confirm: bool
        version: int = 1
        wording: Hash
        agreed_by_applicant: bool = False
        agreed_by_issuer: bool = False
        prepared_by: User | None = None
        released_by: User | None = None
        issued: Date | None = None
        closes: Instant | None = None
        confirmed: bool = False
        demands: int = 0

        @invariant
        def never_more_than_the_undertaking(u):
            require(u.drawn <= u.amount, "{d} drawn is more than the undertaking of {a}", d=u.drawn, a=u.amount)

        @invariant
        def two_persons_have_issued(u):
            if u.released_by is not None:
                require(u.released_by != u.prepared_by, "{p} both prepared and released", p=u.released_by)

        @invariant
        def issued_as_agreed(u):
            if u.state != "Draft" and u.state != "Withdrawn":
                require(u.agreed_by_applicant and u.agreed_by_issuer, "version {v} is not agreed", v=u.version)

    class Presentation(Record, key="id", index=["undertaking", "decide_by"]):
        """One demand with its documents, each on its own (ISP98 3.07); UNDERTAKING/NUMBER."""

        class States:
            Presented: "with the issuer"
            Examined: "the issuer has noted its findings"
            Honoured: "paid"
            Refused: "notice of refusal was given"
            Precluded: "no notice in time: the issuer can refuse no more"

        id: Text[3, 24]
        undertaking: Undertaking
        issuer: Party
        reference: Text[1, 16]
        amount: Amount
        documents: list[Document, 20]
        received: Date
        decide_by: Instant
        safe_until: Instant | None = None
        examinations: int = 0
        examined_by: User | None = None
        discrepancies: list[Text[1, 200], 50] = []
        disposal: Disposal | None = None
        paid: Amount | None = None

        @invariant
        def refused_with_reasons(p):
            if p.state == "Refused":
                require(len(p.discrepancies) > 0 and p.disposal is not None, "a refusal states why, and where the documents are")

    class Demand(Record, key="id"):
        """That a reference was used under an undertaking; UNDERTAKING|REFERENCE."""

        id: Text[3, 33]
        presentation: Presentation

    # Before issue

    @action(by="applicant", creates="Undertaking", to="Draft")
    def apply(
        tx,
        u: Undertaking,
        id: Text[1, 16],
        issuer: Party,
        adviser: Party,
        beneficiary: Party,
        rules: Rules,
        amount: Amount,
        expiry: Date,
        extends_until: Date | None,
        notice_days: Int[0, 365],
        place: Text[2, 12],
        may_confirm: bool,
        wording: Hash,
    ):
        """Asks a bank to issue a standby. `place` is where it expires: a code of the calendars.

        `extends_until` is the last day to which it goes on by itself, a year at a time; None: it ends at `expiry`.
        """
        require(is_reference(id), "an id is a reference as in field 20 of a SWIFT message")
        require(adviser != beneficiary, "a beneficiary is not its own bank")
        require(extends_until is None or extends_until > expiry, "what extends by itself does so beyond {e}", e=expiry)
        require(u.applicant != beneficiary and issuer != adviser, "a standby has an applicant, a beneficiary and two banks")
        require(issuer != beneficiary, "an issuer undertakes nothing to itself")
        require(amount.minor > 0, "an undertaking is for an amount above zero")
        require(expiry > tx.date, "the expiry date {e} is not after today, {t}", e=expiry, t=tx.date)
        last = Calendars.add_business_days(place=place, day=expiry, days=0)  # refuses a place without a calendar
        u.drawn = Amount(0, amount.currency)
        event("letter.applied", id=id, applicant=u.applicant, issuer=issuer, wording=wording, last_day=last)

    @action(by=["applicant", "issuer"], on=["Draft", "Agreed", "Prepared"], to="Draft")
    def reword(tx, u: Undertaking, wording: Hash, amount: Amount, expiry: Date):
        """Puts another version on the table. Whatever was agreed or prepared before no longer is."""
        require(amount.minor > 0, "an undertaking is for an amount above zero")
        require(expiry > tx.date, "the expiry date {e} is not after today, {t}", e=expiry, t=tx.date)
        u.version += 1
        u.wording = wording
        u.amount = amount
        u.drawn = Amount(0, amount.currency)
        u.expiry = expiry
        u.agreed_by_applicant = False
        u.agreed_by_issuer = False
        u.prepared_by = None
        event("letter.reworded", id=u.id, version=u.version, by=tx.member, wording=wording)

    @action(by=["applicant", "issuer"], on="Draft", to=["Draft", "Agreed"])
    def agree(tx, u: Undertaking, version: int, wording: Hash):
        """Signs one version. Both sides must sign the same."""
        require(version == u.version, "version {n} is on the table, not {v}", n=u.version, v=version)
        require(wording == u.wording, "version {v} has another wording than the one signed", v=version)
        if tx.member == u.applicant:
            u.agreed_by_applicant = True
        if tx.member == u.issuer:
            u.agreed_by_issuer = True
        event("letter.agreed", id=u.id, version=version, by=tx.member)
        become(u, "Agreed" if u.agreed_by_applicant and u.agreed_by_issuer else "Draft")

    @action(by=["applicant", "issuer"], on=["Draft", "Agreed", "Prepared"], to="Withdrawn")
    def withdraw(tx, u: Undertaking):
        """The applicant withdraws its application, or the issuer declines it. Its id stays taken."""
        event("letter.withdrawn", id=u.id, by=tx.member)

    @action(by="issuer", on="Agreed", to="Prepared")
    def prepare(tx, u: Undertaking, version: int):
        """One person at the issuer prepares the issue of a version."""
        require(version == u.version, "version {n} is on the table, not {v}", n=u.version, v=version)
        require(tx.user is not None, "a person prepares an issue: sign as a user of {bank}", bank=u.issuer)
        u.prepared_by = tx.user

    @action(by="issuer", on="Prepared", to="Issued")
    def release(tx, u: Undertaking, version: int, wording: Hash, amount: Amount, expiry: Date):
        """Another person releases it. From now on the issuer is bound: it has left its control (ISP98 2.03).

        The signature says by itself what is issued: an older one never releases what was put on the table after it.
        """
        require(tx.user is not None, "a person releases an issue: sign as a user of {bank}", bank=u.issuer)
        require(tx.user != u.prepared_by, "{who} prepared this issue: another person must release it", who=tx.user)
        require(version == u.version, "version {n} is on the table, not {v}", n=u.version, v=version)
        require(wording == u.wording, "the wording released is not the one agreed, version {v}", v=u.version)
        require(
            amount == u.amount and expiry == u.expiry,
            "version {v} is for {a} until {e}: that is not what was released",
            v=u.version,
            a=u.amount,
            e=u.expiry,
        )
        # An expiry on a day without business moves to the next one that has (ISP98 3.13(a), UCP 600 29(a)).
        last = Calendars.add_business_days(place=u.place, day=expiry, days=0)
        require(expiry.days_until(last) <= LONGEST_DAYS, "there is no business day soon after {e}", e=expiry)
        # A calendar must cover the examination of what is presented on the last day, else this is refused here.
        decided = Calendars.add_business_days(place=u.place, day=last, days=examination_days(u.rules))
        require(last.days_until(decided) <= LONGEST_DAYS, "there are too few business days soon after {d}", d=last)
        closes = Calendars.close_of_business(place=u.place, day=last)
        require(tx.time < closes, "it would have expired before it was issued, on {d}", d=last)
        u.released_by = tx.user
        u.issued = tx.date
        u.closes = closes
        schedule(u, "expire", closes + Duration(milliseconds=1))
        event(
            "letter.issued",
            id=u.id,
            beneficiary=u.beneficiary,
            amount=amount,
            wording=wording,
            version=version,
            closes=closes,
        )

    @action(by="adviser", on="Issued", to="Advised")
    def advise(tx, u: Undertaking, confirms: bool):
        """Hands it to the beneficiary: it is what it seems to be (UCP 600 9(b)). Confirms it only where asked to."""
        require(u.may_confirm or not confirms, "{bank} was not asked to confirm", bank=u.adviser)
        u.confirmed = confirms
        event("letter.advised", id=u.id, beneficiary=u.beneficiary, confirmed=confirms)

    @action(by="issuer", on=["Issued", "Advised", "Exhausted"])
    def stop_extending(tx, u: Undertaking, expiry: Date):
        """Gives notice that it does not go on after this expiry date. The day of notice is that of UTC."""
        require(tx.user is not None, "a person gives notice: sign as a user of {bank}", bank=u.issuer)
        require(expiry == u.expiry, "it expires on {e}, not on {o}", e=u.expiry, o=expiry)
        require(goes_on(u.expiry, u.extends_until, u.is_stopped), "{id} does not go on after {e}", id=u.id, e=u.expiry)
        latest = expiry.add_days(-u.notice_days)
        require(tx.date <= latest, "notice was to be given by {d}: it goes on for another year", d=latest)
        u.is_stopped = True
        event("letter.stopped", id=u.id, beneficiary=u.beneficiary, expiry=expiry)

    # Presentation

    @action(by="beneficiary", on=["Issued", "Advised", "Exhausted", "Expired"])
    def present(tx, u: Undertaking, reference: Text[1, 16], amount: Amount, documents: list[Document, 20]):
        """Demands payment. Parts of the amount may be drawn, several times (ISP98 3.08(a)).

        A demand for more than is available is one to be examined: it is discrepant (ISP98 3.08(e)).
        """
        require(u.state != "Exhausted", "{id} is drawn in full", id=u.id)
        # No clock runs for a presentation after expiry, and none is needed to refuse it (ISP98 5.04). What goes on for
        # another year does so also where ledger time has not come to say it.
        is_extended = goes_on(u.expiry, u.extends_until, u.is_stopped) and tx.date <= u.extends_until
        require(
            u.state != "Expired" and (tx.time <= u.closes or is_extended),
            "{id} expired at close of business in {p}, expiry date {e}: it can be drawn no more",
            id=u.id,
            p=u.place,
            e=u.expiry,
        )
        require(amount.currency == u.amount.currency, "{id} is payable in {c}", id=u.id, c=u.amount.currency)
        require(amount.minor > 0, "a demand is for an amount above zero")
        require(len(documents) > 0, "a presentation has documents")  # ISP98 3.02
        require(is_reference(reference), "a demand has a reference as in field 20 of a SWIFT message")
        used = u.id + "|" + reference
        require(LetterOfCredit.Demand.find(used) is None, "{r} was presented before: each has its own", r=reference)
        # Nobody is kept from presenting by a calendar: where none says when an examination ends, or says later, it ends
        # so many days of any kind from now. After close of business, receipt is on the next business day (ISP98 3.05(b)).
        received = tx.date
        decide_by = tx.time + Duration(days=LONGEST_DAYS)
        safe_until: Instant | None = None
        counted = Calendars.day_counted(place=u.place, instant=tx.time)
        if counted is not None:
            days = Calendars.business_days(place=u.place, day=counted, most=LONGEST_DAYS)
            if len(days) > 0:
                received = days[0]
            if len(days) > examination_days(u.rules):
                last = Calendars.close_of_business(place=u.place, day=days[examination_days(u.rules)])
                decide_by = min(decide_by, last)
            if u.rules == Rules.ISP98 and len(days) > SAFE_DAYS:
                # what is noticed so soon is never unreasonably late (ISP98 5.01(a))
                safe_until = Calendars.close_of_business(place=u.place, day=days[SAFE_DAYS])
        u.demands += 1
        p = LetterOfCredit.Presentation.create(
            id=u.id + "/" + str(u.demands),
            undertaking=u,
            issuer=u.issuer,
            reference=reference,
            amount=amount,
            documents=documents,
            received=received,
            decide_by=decide_by,
            safe_until=safe_until,
            state="Presented",
        )
        LetterOfCredit.Demand.create(id=used, presentation=p)
        schedule(p, "preclude", decide_by + Duration(milliseconds=1))
        event("letter.presented", id=p.id, reference=reference, amount=amount, received=received, decide_by=decide_by)

    @action(by="issuer", on=["Presented", "Examined", "Precluded"], to=["Examined", "Precluded"])
    def examine(tx, p: Presentation, discrepancies: list[Text[1, 200], 49]):
        """Notes every discrepancy found, on the face of the documents alone (ISP98 4.01, UCP 600 14(a)); none: it complies.

        May be done again until the decision; the last findings count. That too much is demanded is found here.
        """
        require(tx.user is not None, "a person examines: sign as a user of {bank}", bank=p.issuer)
        # Also where ledger time has not come to say it.
        require(p.state != "Precluded" and tx.time <= p.decide_by, "the time to examine {id} has passed", id=p.id)
        found: list[Text[1, 200], 50] = []
        if p.amount > p.undertaking.amount - p.undertaking.drawn:
            found.append("the demand exceeds what is available")
        for discrepancy in discrepancies:
            found.append(discrepancy)
        p.discrepancies = found
        p.examinations += 1
        p.examined_by = tx.user
        event("letter.examined", id=p.id, examination=p.examinations, discrepancies=len(found))
        become(p, "Examined")

    @action(by="issuer", on=["Presented", "Examined", "Precluded"], to="Honoured")
    def honour(tx, p: Presentation, examination: int, amount: Amount):
        """Pays a demand that complies, or that the issuer can refuse no more. Another person than who examined it last.

        Signed are the number of the last examination (0: none) and what is paid. An issuer that is precluded pays what is
        demanded (ISP98 5.03), up to what is available: what might be owed beyond that is for a court, never drawn here.
        """
        require(tx.user is not None, "a person honours: sign as a user of {bank}", bank=p.issuer)
        if p.examined_by is not None:
            require(tx.user != p.examined_by, "{who} examined {id}: another person must honour it", who=tx.user, id=p.id)
        require(
            examination == p.examinations,
            "{id} was examined {n} times: {v} is not the last examination",
            id=p.id,
            n=p.examinations,
            v=examination,
        )
        u = p.undertaking
        undrawn = u.amount - u.drawn
        if p.state != "Precluded" and tx.time <= p.decide_by:
            require(p.state == "Examined", "{id} has not been examined", id=p.id)
            if p.amount > undrawn:
                require(
                    False,
                    "the demand for {a} exceeds the available {v} by {x}",
                    a=p.amount,
                    v=undrawn,
                    x=p.amount - undrawn,
                )
            require(len(p.discrepancies) == 0, "{n} discrepancies are noted: refuse it", n=len(p.discrepancies))
        require(undrawn.minor > 0, "nothing of {id} is left to be drawn", id=u.id)
        payable = min(p.amount, undrawn)
        require(amount == payable, "{id} is paid with {p}, not with {a}", id=p.id, p=payable, a=amount)
        p.paid = payable
        u.drawn += payable
        event("letter.honoured", id=p.id, to=u.beneficiary, amount=payable, available=u.amount - u.drawn)
        if u.drawn == u.amount and u.state != "Expired":
            become(u, "Exhausted")

    @action(by="issuer", on=["Presented", "Examined", "Precluded", "Refused"], to="Refused")
    def refuse(tx, p: Presentation, examination: int, disposal: Disposal):
        """Gives notice of refusal: once, with every discrepancy and what becomes of the documents.

        ISP98 5.01 and 5.02, UCP 600 16(c) and (d). Without notice in time the issuer is precluded from claiming that the
        demand does not comply (ISP98 5.03, UCP 600 16(f)). Signed is the number of the examination whose findings it
        gives; under ISP98 the notice says whether it came within the days that are never late.
        """
        require(tx.user is not None, "a person refuses: sign as a user of {bank}", bank=p.issuer)
        require(p.state != "Refused", "notice of refusal of {id} was given: there is one, with every discrepancy", id=p.id)
        require(
            p.state != "Precluded" and tx.time <= p.decide_by,
            "the time for notice of refusal of {id}, received on {d}, ended on {t}: the issuer is precluded from refusing",
            id=p.id,
            d=p.received,
            t=p.decide_by.date,
        )
        require(p.state == "Examined", "{id} has not been examined", id=p.id)
        require(
            examination == p.examinations,
            "{id} was examined {n} times: {v} is not the last examination",
            id=p.id,
            n=p.examinations,
            v=examination,
        )
        require(len(p.discrepancies) > 0, "no discrepancy of {id} is noted: honour it", id=p.id)
        p.disposal = disposal
        is_safe: bool | None = None
        if p.safe_until is not None:
            is_safe = tx.time <= p.safe_until
        event("letter.refused", id=p.id, discrepancies=p.discrepancies, disposal=disposal, in_safe_harbour=is_safe)

    # Ledger time

    @action(by="schedule", on=["Presented", "Examined", "Honoured", "Refused"], to=["Precluded", "Honoured", "Refused"])
    def preclude(tx, p: Presentation):
        """The time for notice of refusal has passed."""
        if p.state == "Presented" or p.state == "Examined":
            event("letter.precluded", id=p.id)
            become(p, "Precluded")
        else:
            become(p, "Honoured" if p.state == "Honoured" else "Refused")

    @action(by="schedule", on=["Issued", "Advised", "Exhausted"], to=["Issued", "Advised", "Expired", "Exhausted"])
    def expire(tx, u: Undertaking):
        """The last day has closed: it goes on for another year, or ends. What was presented before is still decided."""
        if u.state == "Exhausted":
            become(u, "Exhausted")
        elif goes_on(u.expiry, u.extends_until, u.is_stopped):
            u.expiry = u.expiry.add_months(12)
            # Where no calendar knows the last day, it is over everywhere 12 hours after its end in UTC.
            closes = u.expiry.add_days(8 - u.expiry.weekday if u.expiry.weekday > 5 else 0).start() + Duration(hours=36)
            days = Calendars.business_days(place=u.place, day=u.expiry, most=LONGEST_DAYS)
            if len(days) > 0:
                closes = Calendars.close_of_business(place=u.place, day=days[0])
            u.closes = closes
            schedule(u, "expire", closes + Duration(milliseconds=1))
            event("letter.extended", id=u.id, expiry=u.expiry, closes=closes)
            become(u, "Issued" if u.state == "Issued" else "Advised")
        else:
            event("letter.expired", id=u.id, undrawn=u.amount - u.drawn)
            become(u, "Expired")

    @view
    def available(tx, u: Undertaking) -> Amount:
        """What can still be drawn."""
        return u.amount - u.drawn
