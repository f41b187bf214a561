"""Governance as of a block: an audit gives for each height what the node showed when it was there."""

import re

import pytest
from tests.cli.conftest import run as run_command
from tests.governance.house import remove_member, set_constitution, set_member
from tests.node.conftest import FOUNDERS, Ledger, run
from tests.node.test_governance import decide
from tests.node.test_keys import rotate

from hansa.client import keys as key_files
from hansa.merkle import checkpoint
from hansa.node import shipped
from hansa.node.audit import audit
from hansa.node.create import CHECKPOINT_KEY, create_ledger
from hansa.node.recovery import open_stopped
from hansa.store.checkpoints import Checkpoints
from hansa.store.files import Disk
from hansa.store.folder import Folder

SHOWN = {"members": "Member", "users": "User", "keys": "Key"}


def shown(session):
    """What the node shows of governance: its height, and the records."""
    node = session.node

    def rows(record):
        page = node.reading.page("members", record, None, 1_000)
        assert page.next is None
        return [{name: plain(value) for name, value in row.value.items()} for row in page.rows]

    found = {name: rows(record) for name, record in SHOWN.items()}
    (found["constitution"],) = rows("Constitution")
    return node.status().height, found


def plain(value):
    return value.hex() if isinstance(value, bytes) else value


async def history(session, ledger):
    """Members, keys and the constitution change; what was shown at each of four heights."""
    seen = [shown(session)]
    await decide(session, ledger, set_member("dora", weight=7))
    seen.append(shown(session))
    await rotate(session, "2")
    await session.applied(
        ledger.govern("set_own_user", {"id": "bolt/eve", "name": "Eve", "attributes": ["a"]}, by="bolt")
    )
    seen.append(shown(session))
    await decide(session, ledger, set_constitution(shipped.constitution("unanimous"), lock_ms=5_000))
    before = session.node.directory.constitution
    await session.until(lambda: session.node.directory.constitution != before)
    seen.append(shown(session))
    return seen


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A stopped ledger and what it showed on the way."""
    root = tmp_path_factory.mktemp("told") / "ledger"
    ledger = Ledger(root, create_ledger(Disk(), Folder(root), "Told", FOUNDERS, lock_ms=1_000))
    return ledger, run(ledger, lambda session: history(session, ledger))


def test_each_height_gives_what_was_shown_there(told):
    ledger, seen = told
    assert len({height for height, _ in seen}) == 4
    for height, expected in seen:
        report = audit(ledger.root, at=height, governance=True, workers=1)
        assert report.is_sound, report.findings
        found = report.governance
        assert found.height == height
        for name, rows in expected.items():
            marked = [row | {"removed": False} for row in rows] if name == "keys" else rows
            assert getattr(found, name) == marked, (height, name)
    assert [len(expected["members"]) for _, expected in seen] == [3, 4, 4, 4]
    assert len({expected["constitution"]["digest"] for _, expected in seen}) == 2


def test_to_the_end_by_itself(told):
    ledger, seen = told
    report = audit(ledger.root, governance=True, workers=1)
    assert report.is_sound
    assert report.governance.members == seen[-1][1]["members"]
    assert audit(ledger.root, workers=1).governance is None


def test_what_ends_with_a_member_is_marked(make_ledger, play):
    """Its record and its users' are written once; the keys' never: they stand there as active."""
    ledger = make_ledger()

    async def scenario(session):
        user = {"id": "bolt/eve", "name": "Eve", "attributes": []}
        await session.applied(ledger.govern("set_own_user", user, by="bolt"))
        await decide(session, ledger, remove_member("bolt"))

    play(ledger, scenario)
    found = audit(ledger.root, governance=True, workers=1).governance
    assert [row["id"] for row in found.members if row["removed"]] == ["bolt"]
    assert {row["id"] for row in found.users if row["removed"]} == {
        row["id"] for row in found.users if row["member"] == "bolt"
    }
    assert "bolt/eve" in {row["id"] for row in found.users}
    of_bolt = [row for row in found.keys if row["owner"].split("/")[0] == "bolt"]
    assert {row["status"] for row in of_bolt} == {"active"}
    assert [row for row in found.keys if row["removed"]] == of_bolt
    assert any(row["owner_kind"] == "node" for row in found.keys)
    told = run_command("audit", ledger.root, "--governance").out
    assert re.search(r"^user +bolt/eve  Eve, removed$", told, re.MULTILINE)
    assert len(re.findall(r"^key +[0-9a-f]{64}  active, \w+ of bolt, removed$", told, re.MULTILINE)) == 2
    assert not re.search(r"^key .* of (acme|node-1).*, removed$", told, re.MULTILINE)


def test_a_height_that_there_is_not(told, refused):
    ledger, seen = told
    with refused("tree.range") as caught:
        audit(ledger.root, at=seen[-1][0] + 1000, workers=1)
    assert "Ask for the height of a block" in caught.value.remedy


def test_checkpoints_are_counted_to_where_it_was_read(told):
    ledger, seen = told
    early, whole = audit(ledger.root, at=seen[0][0], workers=1), audit(ledger.root, workers=1)
    assert early.entries < whole.entries
    assert early.checkpoints <= early.blocks
    assert early.checkpoints < whole.checkpoints


def test_a_checkpoint_under_a_key_that_did_not_count_is_found(make_ledger, play):
    """The root is the true one and the signature good: only who signed has no business there any more."""
    ledger = make_ledger()
    old = key_files.load(ledger.folder.keys / CHECKPOINT_KEY)

    async def scenario(session):
        await rotate(session, "2")
        await session.submit(ledger.idle())

    play(ledger, scenario)
    assert audit(ledger.root, workers=1).is_sound
    with open_stopped(ledger.root) as parts:
        last = parts.checkpoints.last()
    made = checkpoint.sign(last.ledger, last.size, last.time, last.root, old)
    stored = Checkpoints(Disk(), ledger.folder.checkpoints, last.ledger)
    stored.count -= 1
    stored.append(made)
    stored.close()
    report = audit(ledger.root, workers=1)
    assert [finding.code for finding in report.findings] == ["receipt.span"]
