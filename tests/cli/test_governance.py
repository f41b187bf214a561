"""`hansa proposal`, `member`, `user` and `sign`, as members use them one after the other, and with keys offline."""

import io
import json
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.cli.conftest import EXAMPLE, run

from hansa.client import keys
from hansa.wire.problems import HansaError


@pytest.fixture
def data(server):
    return ("--data", server.data)


@pytest.fixture
def proposed(data):
    """`proposed()` makes a proposal and gives its id."""

    def make(*words, by="northbank"):
        words = words or ("--action", "set_member_data", "member_id=eastmutual", "name=East")
        return run("proposal", "new", *words, "--as", by, "--json", *data).json["id"]

    return make


def written(ms):
    return datetime.fromtimestamp(int(ms) / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def state_of(id, data):
    return run("proposal", "show", id, "--json", *data).json["state"]


class TestProposals:
    def test_from_a_file_with_files_beside_it_to_a_contract_that_runs(self, data, tmp_path):
        (tmp_path / "shop.py").write_text(EXAMPLE.read_text())
        file = tmp_path / "proposal.json"
        action = {"name": "set_contract", "args": {"name": "shop", "source": {"file": "shop.py"}}}
        file.write_text(json.dumps({"title": "Open a shop", "actions": [action]}))
        planned = run("proposal", "plan", file, *data)
        assert planned.code == 0
        assert planned.out.startswith("Open a shop, if eastmutual proposed it\nstate     Open\n")
        assert "any 3 of eastmutual, harbourline, northbank, tradewatch" in planned.out
        assert "+ Deployment shop" in planned.out
        assert "lines more: --full" in planned.out
        assert "lines more" not in run("proposal", "plan", file, "--full", *data).out
        made = run("proposal", "new", file, "--as", "northbank", *data)
        assert made.code == 0
        id = next(line.split()[1] for line in made.out.splitlines() if line.startswith("id "))
        assert f"proposal {id}: Open" in made.err
        assert "it needs the yes of any 3 of" in made.err
        assert run("proposal", "vote", id[:8], "--yes", "--as", "northbank", *data).code == 0
        assert "harbourline" in run("proposal", "vote", id[:8], "--yes", "--as", "eastmutual", *data).err
        last = run("proposal", "vote", id, "--yes", "--as", "harbourline", *data)
        assert "contract.deployed: name=shop" in last.out
        assert f"proposal {id}: Accepted" in last.err
        assert run("contract", "show", "shop", *data).code == 0
        shown = run("proposal", "show", id, *data).out
        assert "title     Open a shop" in shown
        assert "source: 67 lines" in shown
        assert "class ExampleLedger(" not in shown
        assert "\n              class ExampleLedger(" in run("proposal", "show", id, "--full", *data).out
        assert shown.count(": yes, 20") == 3
        assert "when      carried out 20" in shown
        listed = run("proposal", "list", *data).out
        assert f"{id[:12]}  Accepted  northbank  3 yes, 0 no" in listed

    def test_a_no_and_who_is_still_to_vote(self, proposed, data):
        id = proposed()
        assert run("proposal", "vote", id, "--no", "--as", "tradewatch", *data).code == 0
        shown = run("proposal", "show", id, *data).out
        assert "votes     tradewatch: no, 20" in shown
        assert "waiting   eastmutual, harbourline, northbank\n" in shown
        assert "needs     the yes of eastmutual, harbourline and northbank" in shown
        planned = run("proposal", "plan", id, *data)
        assert "if no     of eastmutual or harbourline or northbank: Rejected" in planned.out
        again = run("proposal", "vote", id, "--yes", "--as", "tradewatch", "--force", *data)
        assert (again.code, "tradewatch has voted already" in again.out) == (4, True)
        assert run("proposal", "withdraw", id, "--as", "tradewatch", *data).code == 4
        assert run("proposal", "withdraw", id, "--as", "northbank", *data).code == 0
        assert state_of(id, data) == "Withdrawn"
        assert id[:12] not in run("proposal", "list", "--open", *data).out

    def test_what_failed_or_is_out_of_date_says_why(self, proposed, data):
        id, same = proposed(), proposed()
        failed = proposed("--action", "pause_contract", "name=nothing", "--force")
        assert "out of date" not in run("proposal", "list", "--open", *data).out
        for one in (id, failed):
            for name in ("northbank", "eastmutual", "tradewatch"):
                last = run("proposal", "vote", one, "--yes", "--as", name, *data)
        assert f"proposal {failed}: Failed: no contract nothing" in last.err
        assert "state     Failed: no contract nothing\n" in run("proposal", "show", failed, *data).out
        listed = {line[:12]: line for line in run("proposal", "list", *data).out.splitlines()}
        assert listed[failed[:12]].endswith("  no contract nothing")
        told = "out of date, what it is about changed since: the next ballot drops it; propose it again"
        assert listed[same[:12]].endswith(told)
        shown = run("proposal", "show", same, *data).out
        assert told in shown
        assert "needs" not in shown
        planned = run("proposal", "plan", same, *data)
        assert (planned.code, "needs" in planned.out) == (4, False)
        assert "out of date, what it is about changed since: it would be dropped" in planned.out
        dropped = run("proposal", "vote", same, "--yes", "--as", "northbank", *data)
        assert f"proposal {same}: Dropped: what it is about changed since" in dropped.err

    def test_what_would_fail_is_not_sent_unless_it_is_asked_for(self, data, tmp_path):
        before = run("status", "--json", *data).json["entries"]
        by = ("--as", "northbank", *data)
        line = ("proposal", "new", "--action", "pause_contract", "name=nothing")
        detail = run(*line, *by).failed("proposal.vain")
        assert detail == "it would fail when carried out: no contract nothing; nothing was sent"
        detail = run("proposal", "new", "--action", "remove_member", "member_id=nobody", *by).failed("proposal.vain")
        assert "it may not be voted on: there is no member nobody" in detail
        ran = run(*line, "--prepare", tmp_path / "p", *by)
        assert (ran.code, "as things are now, it would fail when carried out" in ran.err) == (0, True)
        again = run(*line, "--force", "--prepare", tmp_path / "p", *by)
        again.failed("argument.exists", again.code)
        assert "hint: Give --prepare another file name." in again.err
        assert run("status", "--json", *data).json["entries"] == before
        made = run(*line, "--force", "--json", *by).json
        assert run("proposal", "withdraw", made["id"], *by).code == 0

    def test_a_ballot_that_would_not_count_is_not_sent(self, proposed, data, tmp_path):
        id = proposed()
        ballot = ("proposal", "vote", id, "--yes", "--as")
        assert run(*ballot, "eastmutual", *data).code == 0
        before = run("status", "--json", *data).json["entries"]
        twice = run(*ballot, "eastmutual", *data).failed("proposal.late")
        assert twice == "eastmutual has voted yes already; nothing was sent"
        prepared = run(*ballot, "eastmutual", "--prepare", tmp_path / "twice", *data)
        assert (prepared.code, "as things are now, eastmutual has voted yes already" in prepared.err) == (0, True)
        assert run(*ballot, "tradewatch", "--prepare", tmp_path / "late", *data).err == ""
        assert run("status", "--json", *data).json["entries"] == before
        run("proposal", "withdraw", id, "--as", "northbank", *data)
        late = run("proposal", "vote", "--finish", tmp_path / "late", "--as", "tradewatch", *data)
        assert late.failed("proposal.late") == "the proposal is Withdrawn; nothing was sent"
        forced = run("proposal", "vote", "--finish", tmp_path / "late", "--as", "tradewatch", "--force", *data)
        assert (forced.code, "the Proposal is Withdrawn" in forced.out) == (4, True)
        told = run("proposal", "vote", "--finish", tmp_path / "late", "--as", "tradewatch", *data)
        assert (told.code, "the Proposal is Withdrawn" in told.out) == (4, True), "it has its entry, and is told of it"

    def test_a_ballot_that_is_signed_elsewhere_is_told_when_the_proposal_closes(self, proposed, data, tmp_path):
        by = ("--as", "northbank", *data)
        line = ("--action", "set_member_data", "member_id=eastmutual", "name=E")
        soon = (datetime.now(UTC) + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
        id = run("proposal", "new", *line, "--closes", soon, "--json", *by).json["id"]
        closes = run("proposal", "show", id, "--json", *data).json["closes"]
        ran = run("proposal", "vote", id, "--yes", "--prepare", tmp_path / "one", *by)
        assert "caution: the proposal closes 20" in ran.err
        assert f"closes     {written(closes)}" in ran.out
        assert "valid" not in ran.out.partition("The proposal")[2], "until when the proposer's could be sent is past"
        run("proposal", "withdraw", id, *by)
        id = proposed()
        ran = run("proposal", "vote", id, "--yes", "--prepare", tmp_path / "two", *by)
        assert ran.err == ""
        told = re.search(r"  closes     30 days after it is made, (.+ UTC) at the latest\n", ran.out)
        assert told is not None
        assert told[1] > written(run("proposal", "show", id, "--json", *data).json["closes"])
        run("proposal", "withdraw", id, *by)

    def test_a_ballot_says_one_of_yes_and_no(self, proposed, data, tmp_path):
        id = proposed()
        by = ("--as", "northbank", *data)
        for words in (("--yes", "--no"), ("--no", "--yes"), ()):
            run("proposal", "vote", id, *words, *by).failed("argument.value", 2)
        run("proposal", "vote", "--finish", tmp_path / "ballot", "--yes", *by).failed("argument.value", 2)
        assert run("proposal", "show", id, "--json", *data).json["ballots"] == []
        run("proposal", "withdraw", id, *by)

    def test_one_action_from_the_line(self, data, tmp_path, make_key):
        public = tmp_path / "new.pem"
        public.write_bytes(make_key("es256", "a new bank").public.pem())
        line = (
            "set_member", "member_id=newbank", "name=New Bank", "attributes=licence:bank,role:x", "weight=2",
            f"keys=governance:{public},transaction:{public}",
        )  # fmt: skip
        ran = run("proposal", "plan", "--action", *line, *data)
        assert ran.failed("proposal.form").endswith("names one key twice: a key is registered once, for one purpose")
        other = tmp_path / "other.pem"
        other.write_bytes(make_key("eddsa", "a new bank's").public.pem())
        ran = run("proposal", "plan", "--action", *line[:-1], f"keys=governance:{public},transaction:{other}", *data)
        assert "+ Member newbank\n" in ran.out
        assert "attributes: [licence:bank, role:x]" in ran.out
        data_file = tmp_path / "rates"
        data_file.write_text("EUR 1.1\n")
        line = ("set_reference", "name=rates", "valid_from=2030-01-01", f"data=@{data_file}")
        assert "+EUR 1.1" in run("proposal", "plan", "--action", *line, *data).out
        ran = run("proposal", "plan", "--action", *line, "--closes", "2130-01-01", *data)
        assert "refused   a proposal is open for 90 days at most" in ran.out

    def test_a_fifth_member_comes_votes_and_goes(self, data, proposed, tmp_path):
        held = {}
        for purpose in ("governance", "transaction"):
            held[purpose] = tmp_path / f"{purpose}.pem"
            key = keys.generate("p256")
            keys.save(key, held[purpose])
            (tmp_path / f"{purpose}.pub").write_bytes(key.public.pem())
        given = ",".join(f"{purpose}:{tmp_path / purpose}.pub" for purpose in held)
        id = proposed("--action", "set_member", "member_id=fifth", "name=Fifth", f"keys={given}")
        for name in ("northbank", "eastmutual", "tradewatch"):
            assert run("proposal", "vote", id, "--yes", "--as", name, *data).code == 0
        assert run("member", "show", "fifth", "--json", *data).json["removed"] is False
        own = ("--key", held["governance"], *data)
        assert run("user", "add", "fifth/zoe", *own).code == 0
        mine = run("proposal", "new", "--action", "remove_member", "member_id=fifth", *own, "--json").json["id"]
        assert run("proposal", "vote", mine, "--yes", *own).code == 0
        planned = run("proposal", "plan", mine, "--json", *data).json
        assert [len(one) for one in planned["sets"]] == [3] * 4, "two thirds of five"
        told = run("proposal", "plan", mine, *data).out
        assert "~ Member fifth\n    removed: False -> True\n    ends user fifth/zoe\n    ends key " in told
        assert len(re.findall(r"^    ends key [0-9a-f]{16}, (?:governance|transaction) of fifth$", told, re.M)) == 2
        for name in ("northbank", "eastmutual", "tradewatch"):
            run("proposal", "vote", mine, "--yes", "--as", name, *data)
        assert state_of(mine, data) == "Accepted"
        run("proposal", "new", "--action", "pause_contract", "name=x", *own).failed("sender.revoked")
        assert re.search(r"fifth +Fifth +1 +removed", run("member", "list", *data).out)
        assert run("member", "show", "fifth", *data).out.count(", counts no more: its member is removed\n") == 2

    def test_what_could_not_be_carried_out_exits_as_refused(self, data, tmp_path):
        broken = tmp_path / "broken.py"
        broken.write_text("import os\n")
        ran = run("proposal", "plan", "--action", "set_contract", "name=x", f"source={broken}", *data)
        assert ran.code == 4
        assert "fails     when carried out: the file has findings" in ran.out
        ran = run("proposal", "plan", "--action", "remove_member", "member_id=nobody", *data)
        assert ran.code == 4
        assert "refused   there is no member nobody" in ran.out

    def test_another_constitution_is_planned_with_the_past(self, proposed, data):
        id = proposed()
        run("proposal", "vote", id, "--yes", "--as", "northbank", *data)
        run("proposal", "vote", id, "--no", "--as", "harbourline", *data)
        file = EXAMPLE.parents[1] / "constitutions" / "unanimous.py"
        ran = run("proposal", "plan", "--action", "set_constitution", f"source={file}", *data)
        assert "~ Constitution ledger" in ran.out
        assert "run `hansa constitution check FILE` to see what votes can lead it to" in ran.out
        assert f"{id[:12]} set_member_data eastmutual: Open -> Rejected" in ran.out
        assert "once accepted it waits for 10 s, and is counted again then" in ran.out
        assert re.search(r"of \d+ past proposals? it would have decided otherwise:", ran.out)
        run("proposal", "withdraw", id, "--as", "northbank", *data)


class TestOffline:
    def test_a_vote_with_a_key_that_has_no_network(self, proposed, data, server, tmp_path):
        id, file = proposed(), tmp_path / "ballot"
        before = run("status", "--json", *data).json["entries"]
        ran = run("proposal", "vote", id, "--yes", "--as", "eastmutual", "--prepare", file, *data)
        assert ran.code == 0
        assert "does       votes YES" in ran.out
        assert "does       proposes: set_member_data eastmutual" in ran.out, "what the proposer signed is shown too"
        assert run("status", "--json", *data).json["entries"] == before
        assert {path.name for path in tmp_path.iterdir()} == {"ballot", "ballot.txt", "ballot.proposal"}
        assert "member_id: eastmutual" in (tmp_path / "ballot.txt").read_text()
        key = server.data / "keys" / "governance" / "eastmutual.pem"
        signed = run("sign", file, "--key", key, "--yes")
        assert signed.code == 0
        assert "does       votes YES" in signed.out
        assert "member_id: eastmutual" in signed.out
        done = run("proposal", "vote", "--finish", file, "--json", *data)
        assert done.json["status"] == "applied"
        again = run("proposal", "vote", "--finish", file, "--json", *data)
        assert (again.json["duplicate"], again.json["seq"]) == (True, done.json["seq"])
        run("proposal", "withdraw", id, "--as", "northbank", *data)

    def test_a_proposal_signed_by_openssl(self, data, server, tmp_path):
        file, signature = tmp_path / "p", tmp_path / "signature"
        line = ("--action", "pause_contract", "name=example_ledger")
        assert run("proposal", "new", *line, "--as", "northbank", "--prepare", file, "--days", "30", *data).code == 0
        key = server.data / "keys" / "governance" / "northbank.pem"
        command = ["openssl", "pkeyutl", "-sign", "-inkey", key, "-rawin", "-in", file, "-out", signature]
        subprocess.run(list(map(str, command)), check=True)
        ran = run("proposal", "new", "--finish", file, "--signature", signature, "--json", *data)
        assert ran.json["status"] == "applied"
        assert run("proposal", "withdraw", ran.json["id"], "--as", "northbank", *data).code == 0

    def test_the_proposal_that_lies_beside_must_be_the_one(self, proposed, data, server, tmp_path):
        id, other, file = proposed(), proposed(), tmp_path / "ballot"
        for one, name in ((id, file), (other, tmp_path / "other")):
            run("proposal", "vote", one, "--yes", "--as", "eastmutual", "--prepare", name, *data)
        (tmp_path / "other.proposal").rename(tmp_path / "ballot.proposal")
        key = server.data / "keys" / "governance" / "eastmutual.pem"
        run("sign", file, "--key", key, "--yes").failed("proposal.other")
        (tmp_path / "ballot.proposal").unlink()
        ran = run("sign", file, "--key", key, "--yes")
        assert "What the proposal says is not known here" in ran.out
        for one in (id, other):
            run("proposal", "withdraw", one, "--as", "northbank", *data)

    def test_sign_needs_no_node_and_asks_first(self, data, server, tmp_path, monkeypatch):
        file = tmp_path / "p"
        run("proposal", "new", "--action", "pause_contract", "name=x", "--as", "northbank", "--prepare", file, *data)
        key = server.data / "keys" / "governance" / "northbank.pem"
        monkeypatch.setattr("sys.stdin", io.StringIO(""))
        ran = run("sign", file, "--key", key)
        assert (ran.code, Path(f"{file}.sig").exists()) == (130, False)
        assert "does       proposes: pause_contract x" in ran.out
        run("sign", file, "--key", key, "--json").failed("argument.value", 2)
        assert run("sign", file, "--key", key, "--json", "--yes").json["file"] == f"{file}.sig"


class TestMembers:
    def test_who_they_are(self, data):
        listed = run("member", "list", *data).out
        assert re.search(r"northbank +North Bank +1 +active +ledger:deployer", listed)
        shown = run("member", "show", "northbank", *data).out
        assert "users       northbank/ana, northbank/ben" in shown
        assert shown.count("\nkey ") == 2
        assert run("member", "show", "northbank", "--json", *data).json["weight"] == 1

    def test_what_waits_for_a_vote_is_shown(self, proposed, data):
        id = proposed()
        assert f"vote on     {id[:12]}" in run("member", "show", "tradewatch", *data).out
        run("proposal", "vote", id, "--no", "--as", "tradewatch", *data)
        assert "vote on" not in run("member", "show", "tradewatch", *data).out
        run("proposal", "withdraw", id, "--as", "northbank", *data)

    def test_keys_are_rotated_with_overlap(self, data, server, tmp_path):
        def kids(status="active"):
            found = run("member", "keys", "harbourline", "--json", *data).json["keys"]
            return {one["kid"] for one in found if (one["purpose"], one["status"]) == ("governance", status)}

        (old,) = kids()
        new = tmp_path / "new.pem"
        own = ("--as", "harbourline", *data)
        assert run("member", "key", "retire", old[:8], *own).code == 4, "the last one stays"
        made = ("member", "key", "add", "--new", new, "--purpose", "governance", "--expires", "2030-01-01")
        assert run(*made, *own).code == 0
        assert kids() == {old, keys.load(new).kid.hex()}
        assert run("member", "key", "retire", old[:8], *own).code == 0
        assert kids("retired") == {old}
        assert "2030-01-01 00:00:00 UTC" in run("member", "keys", "harbourline", *data).out
        run("member", "key", "retire", old[:8], *own).failed("sender.revoked")
        (server.data / "keys" / "governance" / "harbourline.pem").unlink()
        new.rename(server.data / "keys" / "governance" / "harbourline.pem")

    @pytest.mark.parametrize("kind", ["ed25519", "p256"])
    def test_keys_are_made_for_who_is_not_a_member_yet(self, data, tmp_path, kind):
        """The folder's public halves, as printed, are what a proposal takes."""
        folder = tmp_path / "newbank"
        made = run("member", "key", "new", f"{folder}/", "--kind", kind, "--json").json["keys"]
        assert [one["purpose"] for one in made] == ["governance", "transaction"]
        assert folder.stat().st_mode & 0o777 == 0o700
        for one in made:
            private = keys.load(folder / f"{one['purpose']}.pem")
            assert (folder / f"{one['purpose']}.pem").stat().st_mode & 0o777 == 0o600
            assert (one["kid"], one["spki"]) == (private.kid.hex(), private.public.spki.hex())
            assert Path(one["public"]).read_text() == one["pem"] == private.public.pem().decode()
        args = {"member_id": "newbank", "name": "New"}
        for form in ("pem", "spki"):
            given = [{"purpose": one["purpose"], form: one[form]} for one in made]
            file = tmp_path / "p.json"
            file.write_text(json.dumps({"actions": [{"name": "set_member", "args": {**args, "keys": given}}]}))
            assert "+ Member newbank\n" in run("proposal", "plan", file, *data).out
        run("member", "key", "new", folder).failed("key.exists")

    def test_one_key_in_a_file(self, tmp_path):
        file = tmp_path / "mine" / "a.pem"
        ran = run("member", "key", "new", file)
        kid = keys.load(file).kid.hex()
        public = file.with_suffix(".pub").read_text()
        assert ran.out == f"key      {kid}\nprivate  {file}\npublic   {file.with_suffix('.pub')}\n{public}"
        run("member", "key", "new", tmp_path / "b.pub").failed("argument.value", 2)
        file.unlink()
        run("member", "key", "new", file).failed("key.exists")
        assert not file.exists()

    def test_a_refused_new_key_leaves_no_file(self, data, tmp_path, monkeypatch):
        key = tmp_path / "new.pem"
        new = ("member", "key", "add", "--new", key, "--as", "eastmutual", *data)
        ran = run(*new, "--for", "northbank/ana")
        assert (ran.code, key.exists()) == (4, False)
        assert f"the new key is not registered, and its file {key} was removed again" in ran.err
        for code, is_there in (("sender.revoked", False), ("answer.unknown", True)):

            def fail(*_, code=code):
                raise HansaError(code, "as it went", id="1")

            monkeypatch.setattr("hansa.cli.governance.submit", fail)
            detail = run(*new).failed(code)
            assert (key.exists(), ("stays in" in detail)) == (is_there, is_there)
        kept = key.read_bytes()
        run(*new).failed("key.exists")
        assert key.read_bytes() == kept

    def test_a_key_does_not_expire_before_it_comes(self, data, tmp_path):
        new = ("member", "key", "add", "--new", tmp_path / "k.pem", "--as", "eastmutual", *data)
        detail = run(*new, "--expires", "2020-01-31").failed("argument.value", 2)
        assert detail.startswith("--expires 2020-01-31 has passed: by the ledger's clock it is 20")
        run(*new, "--expires", "soon").failed("argument.value", 2)
        assert not (tmp_path / "k.pem").exists()

    def test_who_was_never_there_has_no_empty_list(self, data):
        near = "there is no member 'nortbank'; did you mean northbank?"
        for words in (("member", "keys"), ("member", "show"), ("user", "list")):
            assert run(*words, "nortbank", *data).failed("argument.value", 2) == near
        told = run("member", "keys", "northbank/anna", *data).failed("argument.value", 2)
        assert told == "there is no user 'northbank/anna'; did you mean northbank/ana?"

    def test_a_user_that_is_there_keeps_its_name(self, data):
        own = ("--as", "tradewatch", *data)
        assert "is changed" not in run("user", "add", "tradewatch/kim", "--name", "Kim B", *own).err
        ran = run("user", "add", "tradewatch/kim", "--attribute", "may:pay", *own)
        assert "tradewatch/kim was there and is changed: it is named Kim B, and has may:pay" in ran.err
        assert re.search("Kim B +active +may:pay", run("user", "list", "tradewatch", *data).out)

    def test_users_come_with_keys_and_go(self, data, tmp_path):
        own = ("--as", "eastmutual", *data)
        assert run("user", "add", "eastmutual/zoe", "--attribute", "may:pay", *own).code == 0
        key = tmp_path / "zoe.pem"
        assert run("member", "key", "add", "--new", key, "--for", "eastmutual/zoe", *own).code == 0
        tell = ("call", "example_ledger", "tell", "to=northbank", "message=hello", "--key", key, *data)
        assert run(*tell).code == 0
        assert "eastmutual/zoe  zoe   active  may:pay" in run("user", "list", "eastmutual", *data).out
        assert run("user", "remove", "eastmutual/zoe", *own).code == 0
        run(*tell).failed("sender.revoked")
        assert "eastmutual/zoe  zoe   removed" in run("user", "list", "eastmutual", *data).out

    def test_every_list_is_one_document_for_machines(self, data):
        for words in (("member", "list"), ("member", "keys", "northbank"), ("user", "list"), ("proposal", "list")):
            assert run(*words, "--json", *data).json
