"""`hansa user sign-in` at a node that signs people in, with a real provider: docs/how-to/sign-in.md as one types it."""

import json
import subprocess
import sys

import httpx2
import pytest
from tests.cli.conftest import EXAMPLE
from tests.docs.pages import ROOT
from tests.foreign.oidc import Provider, follow, jwks

TENANT = "/north/v2.0"
PAGE = ROOT / "docs" / "how-to" / "sign-in.md"


@pytest.fixture(scope="module")
def provider():
    made = Provider(
        {
            TENANT: {
                "jwks": jwks("north"),
                "claims": {"tid": "tenant-north"},
                "groups": {"alice": ["payers"]},
            }
        }
    )
    yield made
    made.stop()


@pytest.fixture(scope="module")
def node(provider, start, hansa, tmp_path_factory):
    """`hansa up --sign-in`, with an issuer that the members voted for."""
    root = tmp_path_factory.mktemp("people")
    data, settings, proposal = root / "ledger", root / "sign-in.toml", root / "issuer.json"
    settings.write_text('member = "northbank"\nkey = "ledger/keys/members/northbank.pem"\nsecret = "p.secret"\n')
    args = {
        "issuer_id": "north",
        "member_id": "northbank",
        "issuer": provider.url(TENANT),
        "tenant": "tenant-north",
        "audience": "hansa",
        "algorithms": ["RS256"],
        "rules": [{"claim": "groups", "value": "payers", "attribute": "may:pay"}],
    }
    actions = [{"name": "set_jwt_issuer", "args": args}]
    proposal.write_text(json.dumps({"title": "north signs in", "actions": actions}))
    started = start(data, "--sign-in", str(settings), "--reserve-mb", "0")
    try:
        made = hansa("proposal", "new", proposal, "--as", "northbank", "--data", data, "--json")
        assert made.code == 0, made
        for member in ("northbank", "harbourline", "eastmutual"):
            assert hansa("proposal", "vote", made.json["id"], "--yes", "--as", member, "--data", data).code == 0
        assert hansa("contract", "deploy", EXAMPLE, "--as", "northbank", "--data", data).code == 0
        assert "may:pay" in hansa("query", "members", "Issuer", "--data", data).out
        yield started
    finally:
        started.stop()


def test_the_proposal_on_the_page_can_be_made(node, hansa, tmp_path):
    """The file that docs/how-to/sign-in.md shows, put to the vote."""
    text = PAGE.read_text().partition("<!-- file: issuer.json -->\n```json\n")[2].partition("```")[0]
    (tmp_path / "issuer.json").write_text(text)
    made = hansa("proposal", "new", tmp_path / "issuer.json", "--as", "northbank", "--data", node.data)
    assert made.code == 0, made


def test_a_person_signs_in_with_a_browser(node, hansa, tmp_path):
    key = tmp_path / "session.pem"
    command = [sys.executable, "-m", "hansa.cli.main", "user", "sign-in", "--issuer", "north", "--no-browser"]
    process = subprocess.Popen(
        [*command, "--key", str(key), "--data", str(node.data)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr.readline() == "Open this address in a browser on this machine:\n"
    with httpx2.Client() as browser:
        asked = httpx2.URL(process.stderr.readline().strip())
        browser.get(follow(browser, str(asked.copy_merge_params({"login_hint": "alice"}))))
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert out.startswith("signed in as northbank/")
    assert "attributes  may:pay\n" in out
    assert key.stat().st_mode & 0o777 == 0o600
    user = out.splitlines()[0].removeprefix("signed in as ")
    told = ("call", "example_ledger", "tell", "to=eastmutual", "message=hello", "--json")
    seq = hansa(*told, "--key", key, "--data", node.data).json["seq"]
    assert f"signed    by {user}, key" in hansa("tx", "show", seq, "--data", node.data).out
    listed = hansa("user", "list", "northbank", "--data", node.data)
    assert user in listed.out


def test_a_token_from_somewhere_else(node, provider, hansa, tmp_path):
    key, file = tmp_path / "session.pem", tmp_path / "token.txt"
    begun = hansa("user", "sign-in", "--issuer", "north", "--nonce", "--key", key, "--json")
    assert key.stat().st_mode & 0o777 == 0o600
    file.write_text(provider.token(TENANT, "alice", begun.json["nonce"]) + "\n")
    done = hansa(
        "user", "sign-in", "--issuer", "north", "--token-file", file, "--key", key, "--data", node.data, "--json"
    )
    assert done.code == 0, done
    assert done.json["attributes"] == ["may:pay"]
    assert done.json["held"]
    again = hansa("user", "sign-in", "--issuer", "north", "--token-file", file, "--key", key, "--data", node.data)
    assert again.code == 0


def test_each_session_has_a_new_key(node, provider, hansa, tmp_path):
    key = tmp_path / "session.pem"
    assert hansa("user", "sign-in", "--issuer", "north", "--nonce", "--key", key).code == 0
    before = key.read_bytes()
    hansa("user", "sign-in", "--issuer", "north", "--nonce", "--key", key).failed("key.exists")
    assert key.read_bytes() == before
    assert hansa("user", "sign-in", "--issuer", "north", "--nonce", "--key", key, "--force").code == 0
    assert key.read_bytes() != before


def test_a_refused_token_leaves_no_key_behind(node, provider, hansa, tmp_path):
    key, file = tmp_path / "session.pem", tmp_path / "token.txt"
    hansa("user", "sign-in", "--issuer", "north", "--nonce", "--key", key)
    file.write_text(provider.token(TENANT, "alice", "another nonce"))
    words = ("user", "sign-in", "--issuer", "north", "--token-file", file, "--key", key, "--data", node.data)
    hansa(*words).failed("token.nonce")
    hansa("user", "sign-in", "--issuer", "nobody", "--key", tmp_path / "new.pem", "--data", node.data).failed(
        "argument.value", 2
    )
    assert not (tmp_path / "new.pem").exists()
