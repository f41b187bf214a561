"""State machines as they are declared, as Mermaid and as SVG."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from tests.contracts.sources import contract

from hansa.contracts import program
from hansa.contracts.diagram import Arrow, States, Taken, described, mermaid, state_machines
from hansa.contracts.drawing import svg
from hansa.wire.problems import HansaError

SVG = "{http://www.w3.org/2000/svg}"
CLAIMS = contract("""
class Roles:
    insured: Party
    handler: Party = Party(attribute="role:handler")

class Claim(Record, key="id"):
    class States:
        Open: "waits; with <care> & time: \\"soon\\""
        Paid: "done"
        Lost: "too late"

    id: Text[1, 16]
    insured: Party

class Note(Record, key="id"):
    class States:
        Kept: "is there"

    id: Text[1, 16]

class Bare(Record, key="id"):
    id: Text[1, 16]

@action(by="insured", creates="Claim", to="Open")
def begin(tx, claim: Claim, id: Text[1, 16]):
    pass

@action(by=["insured", "handler"], on="Open", to=["Open", "Paid"])
def decide(tx, claim: Claim, well: bool):
    become(claim, "Paid" if well else "Open")

@action(by="handler", on=["Open", "Lost"], to="Paid")
def pay(tx, claim: Claim):
    pass

@action(by="schedule", on="Open", to="Lost")
def lose(tx, claim: Claim):
    pass

@action(by="handler", on="Paid")
def stamp(tx, claim: Claim):
    pass

@action(by="member")
def ask(tx, claim: Claim):
    pass

@action(by="member", creates="Note", to="Kept")
def jot(tx, note: Note, id: Text[1, 16]):
    pass

@action(by="member", to="Kept")
def keep(tx, note: Note):
    pass

@action(by="member", creates="Bare")
def lay(tx, bare: Bare, id: Text[1, 16]):
    pass
""")


@pytest.fixture(scope="module")
def machines() -> list[States]:
    return state_machines(program.check(CLAIMS, "claims").manifest)


def test_what_is_declared_is_found(machines: list[States]) -> None:
    claim, note = machines
    both = Taken("decide", "insured or handler")
    assert claim.arrows == (
        Arrow(None, "Open", (Taken("begin", "insured"),)),
        Arrow("Open", "Paid", (both, Taken("pay", "handler"))),
        Arrow("Lost", "Paid", (Taken("pay", "handler"),)),
        Arrow("Open", "Lost", (Taken("lose", "ledger time"),)),
    )
    assert claim.stays == {"Open": (both,), "Paid": (Taken("stamp", "handler"),)}
    assert (claim.anywhere, claim.from_anywhere) == ((Taken("ask", "any member"),), ())
    assert claim.ends == ["Paid"]
    assert note.from_anywhere == (Arrow(None, "Kept", (Taken("keep", "any member"),)),)
    assert note.ends == []


def test_it_is_told_in_sentences(machines: list[States]) -> None:
    assert described(machines[0]) == [
        "begin, by insured, makes it Open.",
        "decide, by insured or handler, takes it from Open to Paid.",
        "pay, by handler, takes it from Open to Paid.",
        "pay, by handler, takes it from Lost to Paid.",
        "lose, by ledger time, takes it from Open to Lost.",
        "decide, by insured or handler, leaves it Open.",
        "stamp, by handler, leaves it Paid.",
        "ask, by any member, leaves it in any state.",
    ]
    assert "keep, by any member, takes it from any state to Kept." in described(machines[1])


def test_mermaid_says_all_of_it(machines: list[States]) -> None:
    lines = [line.strip() for line in mermaid(machines[:1]).splitlines()]
    assert lines[0] == "stateDiagram-v2"
    assert 'state "Open" as r1_Open' in lines
    assert 'r1_Open : waits#semi; with <care> & time#colon; "soon"' in lines
    assert "[*] --> r1_Open : begin (insured)" in lines
    assert "r1_Open --> r1_Lost : lose (ledger time)" in lines
    assert "r1_Open --> r1_Open : decide (insured or handler)" in lines
    assert "any1 : ask (any member)" in lines
    assert lines[-1] == "r1_Paid --> [*]"
    both = mermaid(machines).splitlines()
    assert '    state "Claim" as r1 {' in both
    assert '    state "Note" as r2 {' in both


def test_the_picture_is_well_formed_and_says_all_of_it(machines: list[States]) -> None:
    drawn = svg(machines)
    root = ElementTree.fromstring(drawn)
    assert root.get("role") == "img"
    title, words = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert words is not None
    assert root.get("aria-labelledby") == f"{title.get('id')} {words.get('id')}"
    assert title.text == "claims: states of Claim and claims: states of Note"
    assert words.text == " ".join(line for machine in machines for line in described(machine))
    texts = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
    for shown in ("Open", "Paid", "Lost", "Kept", "in any state", "pay · handler", "lose · ledger time"):
        assert shown in texts
    assert "↻ stamp · handler" in texts
    assert any("<care> & time:" in text for text in texts)
    assert "prefers-color-scheme: dark" in drawn
    assert len(list(root.iter(f"{SVG}path"))) == 1 + 4 + 2  # the head, and the arrows of both


def test_ids_of_mermaid_are_no_words_of_its_own_and_of_one_state_each() -> None:
    taken = (Taken("end", "note"),)
    first = States("c", "A_B", {"C": "", "end": "", "note": ""}, (Arrow(None, "end", taken),), {}, taken, ())
    second = States("c", "A", {"B_C": "", "any": ""}, (Arrow(None, "any", taken),), {}, taken, ())
    lines = [line.strip() for line in mermaid([first, second]).splitlines()]
    ids = [line.rpartition(" as ")[2].removesuffix(" {") for line in lines if line.startswith("state ")]
    assert ids == ["r1", "r1_C", "r1_end", "r1_note", "any1", "r2", "r2_B_C", "r2_any", "any2"]
    assert "[*] --> r1_end : end (note)" in lines


@pytest.mark.parametrize("text", ["\x00", "\x1b[0m", "\ufffe", "\uffff", "\ud800", ']]>&<"', "\U0001f600"], ids=ascii)
def test_a_drawing_of_any_text_is_well_formed(text: str) -> None:
    states = States("c", "R", {"A": f"{text} said"}, (Arrow(None, "A", (Taken("make", "member"),)),), {}, (), ())
    root = ElementTree.fromstring(svg([states]).encode())
    assert any(each.text and each.text.endswith(" said") for each in root.iter(f"{SVG}text"))
    assert " said" in mermaid([states]).encode().decode()


def every(count: int) -> States:
    """So many states, with an arrow from each to each."""
    names = [f"s{i}" for i in range(count)]
    arrows = tuple(Arrow(a, b, (Taken("go", "member"),)) for a in names for b in names if a != b)
    return States("c", "Many", dict.fromkeys(names, "x"), arrows, {}, (), ())


def test_a_picture_has_a_bound_and_mermaid_none() -> None:
    assert svg([every(20)]).count("go") >= 20 * 19
    many = every(64)
    with pytest.raises(HansaError, match="4,032 actions stand on arrows; a picture has at most 400") as refused:
        svg([many])
    assert (refused.value.code, "mermaid" in refused.value.remedy) == ("argument.value", True)
    with pytest.raises(HansaError, match="684 actions"):
        svg([every(19), every(19)])
    assert mermaid([many]).count("go (member)") == 64 * 63


def test_texts_fit_their_boxes_and_the_picture(machines: list[States]) -> None:
    root = ElementTree.fromstring(svg(machines))
    width, height = int(root.get("width", 0)), int(root.get("height", 0))
    for group in root.iter(f"{SVG}g"):
        across, down = (int(each) for each in group.get("transform", "")[10:-1].split())
        for box in group.iter(f"{SVG}rect"):
            x, y, w, h = (int(box.get(name, 0)) for name in ("x", "y", "width", "height"))
            assert 0 <= x + across <= x + w + across <= width
            assert 0 <= y + down <= y + h + down <= height


WIDTHS = {"title": 10.9, "name": 10.3, "action": 8.6, "label": 6.6}
"""What a character took at most in texts of some length: measured in Chromium with DejaVu Sans."""


def test_long_names_fit_as_browsers_draw_them() -> None:
    name, action = "AwaitingConfirmation", "make_many_memorandums_when_warm"
    states = States(
        "two_person_approval", "Payment", {name: ""}, (Arrow(None, name, (Taken(action, "m"),)),), {}, (), ()
    )
    root = ElementTree.fromstring(svg([states]))
    width = int(root.get("width", 0))
    (title,) = (text for text in root.iter(f"{SVG}text") if text.get("class") == "title")
    assert int(title.get("x", 0)) + WIDTHS["title"] * len(title.text or "") <= width
    boxes = {each.get("class"): int(each.get("width", 0)) for each in root.findall(f".//{SVG}g/{SVG}rect")}
    assert WIDTHS["name"] * len(name) <= boxes["box"]
    assert WIDTHS["action"] * len(action) + WIDTHS["label"] * len(" · m") <= boxes["ground"]


def test_no_piece_of_an_arrow_has_no_length(machines: list[States]) -> None:
    _, *arrows = (path.get("d", "") for path in ElementTree.fromstring(svg(machines)).iter(f"{SVG}path"))
    for arrow in arrows:
        pieces = [piece.split() for piece in re.split("[MLC]", arrow)[1:]]
        ends = [piece[-2:] for piece in pieces]  # a bend's own end stands last
        assert all(one != other for one, other in pairwise(ends)), f"its head points anywhere: {arrow}"


def test_a_contract_without_states_has_none() -> None:
    source = contract("@action(by='member')\ndef go(tx):\n    pass\n")
    assert state_machines(program.check(source, "bare").manifest) == []
