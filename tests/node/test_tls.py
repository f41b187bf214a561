"""Certificates under node keys, by handshakes in memory: who is let in, and who is not, with both kinds of keys."""

import datetime
import ssl
import tempfile
from types import SimpleNamespace

import pytest
import structlog

from hansa.client import certificates, keys
from hansa.client.certificates import NODE_NAME
from hansa.node import tls
from hansa.node.tls import Credentials, OwnFiles
from hansa.wire.problems import HansaError

KINDS = ("ed25519", "p256")
NAMES = ["node.example", "192.0.2.7"]
LONG_AGO = datetime.datetime(2020, 6, 1, tzinfo=datetime.UTC)


class Ledger:
    """Which node keys count, as `Directory` says it."""

    def __init__(self, *known):
        self.known = {key.kid: key.public for key in known}
        self.node_owners = {kid: f"node-{number}" for number, kid in enumerate(self.known)}

    def peer_keys(self):
        return dict(self.known)


@pytest.fixture
def make(tmp_path):
    def made(key, ledger, own=None):
        folder = SimpleNamespace(root=tmp_path, keys=tmp_path)
        return Credentials(SimpleNamespace(own_key=lambda: key, directory=ledger, folder=folder), NAMES, own)

    return made


def shake(server, client, name=NODE_NAME):
    """The ends of a connection after their handshake, with a word from the server to the client."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = server.wrap_bio(up, down, server_side=True), client.wrap_bio(down, up, server_hostname=name)
    waiting = [ends[1], ends[0]]
    for _ in range(10):
        for end in list(waiting):
            try:
                end.do_handshake()
                waiting.remove(end)
            except ssl.SSLWantReadError:
                continue
        if not waiting:
            break
    ends[0].write(b"hello")
    assert ends[1].read(5) == b"hello"
    return ends


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("other", KINDS)
def test_nodes_know_each_other_by_their_keys(make, kind, other):
    one, two = keys.generate(kind), keys.generate(other)
    ledger = Ledger(one, two)
    first, second = make(one, ledger), make(two, ledger)
    served, asking = shake(first.server(), second.client())
    assert first.peer(served.getpeercert()) == two.kid
    assert second.peer(asking.getpeercert()) == one.kid
    assert served.version() == "TLSv1.3"


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_that_is_not_registered_is_let_in_nowhere(make, kind):
    one, stranger = keys.generate(), keys.generate(kind)
    first, second = make(one, Ledger(one)), make(stranger, Ledger(one, stranger))
    with pytest.raises(ssl.SSLError):
        shake(first.server(), second.client())
    with pytest.raises(ssl.SSLCertVerificationError):
        shake(second.server(), first.client())


def test_a_certificate_that_says_another_key_signed_it(make, monkeypatch):
    one, stranger = keys.generate(), keys.generate()
    first, second = make(one, Ledger(one)), make(stranger, Ledger(one, stranger))
    monkeypatch.setattr(tls, "authority_name", lambda _: certificates.authority_name(one.kid))
    monkeypatch.setattr(tls, "KEY_URI", certificates.KEY_URI)
    with pytest.raises(ssl.SSLError):
        shake(first.server(), second.client())


@pytest.mark.parametrize("kind", KINDS)
def test_an_expired_certificate_is_a_warning(make, kind, monkeypatch):
    one, two = keys.generate(), keys.generate(kind)
    ledger = Ledger(one, two)
    first, second = make(one, ledger), make(two, ledger)
    issue = tls.issue
    monkeypatch.setattr(tls, "issue", lambda key, names: issue(key, names, LONG_AGO))
    served, asking = shake(first.server(), second.client())
    with structlog.testing.capture_logs() as logs:
        assert first.peer(served.getpeercert()) == two.kid
        assert first.peer(served.getpeercert()) == two.kid
        assert second.peer(asking.getpeercert()) == one.kid
    assert [(one["event"], one["node"]) for one in logs] == [("tls.expired", "node-1"), ("tls.expired", "node-0")]


def test_a_key_that_ends_ends_its_connections_and_lets_no_new_one_in(make):
    one, two = keys.generate(), keys.generate()
    ledger = Ledger(one, two)
    first, second = make(one, ledger), make(two, ledger)
    served, _ = shake(first.server(), second.client())
    assert first.peer(served.getpeercert()) == two.kid
    asking = second.client()
    del ledger.known[two.kid]
    assert first.peer(served.getpeercert()) is None
    with pytest.raises(ssl.SSLError):
        shake(first.server(), asking)


def test_who_shows_no_certificate_is_nobody_and_may_connect(make):
    one = keys.generate("p256")
    first = make(one, Ledger(one))
    served, _ = shake(first.server(), certificates.by_keys([one.public]))
    assert first.peer(served.getpeercert()) is None


def test_older_tls_is_refused(make):
    one = keys.generate()
    for name in (NODE_NAME, "node.example"):
        client = certificates.by_keys([one.public])
        client.minimum_version = client.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises(ssl.SSLError):
            shake(make(one, Ledger(one)).server(), client, name)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_other_programs_take_the_key_as_an_authority(make, kind, name, tmp_path):
    one = keys.generate(kind)
    first = make(one, Ledger(one))
    client = ssl.create_default_context(cafile=first.write_authority())
    client.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT  # what Python 3.13 does by itself
    shake(first.server(), client, name)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake(first.server(), client, "other.example")


@pytest.mark.parametrize("names", [["node.example"], ["192.0.2.7"], ["node.example", "2001:db8::7"]])
@pytest.mark.parametrize("other", ["other.example", "192.0.2.8", "2001:db8::8"])
def test_the_authority_is_one_of_this_node_alone(names, other):
    """Somebody may have put it among the authorities of a machine."""
    key = keys.generate("p256")
    client = ssl.create_default_context(cadata=tls.authority(key, names).decode())
    for name in names:
        shake(shows(key, name), client, name)
    with pytest.raises(ssl.SSLCertVerificationError, match=r"(permitted|excluded) subtree"):
        shake(shows(key, other), client, other)


def shows(key, name):
    """A server with a certificate under a key, for one host."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        file.write(tls.issue(key, [name]))
        file.flush()
        made.load_cert_chain(file.name)
    return made


def test_an_operators_certificate_is_shown_to_who_asks_by_name(make, tmp_path):
    one, operator = keys.generate(), keys.generate("p256")
    both = tls.issue(operator, ["ledger.bank.example"])
    private, _, certificate = both.partition(b"-----BEGIN CERTIFICATE-----")
    files = OwnFiles(tmp_path / "cert.pem", tmp_path / "cert.key")
    files.certificate.write_bytes(b"-----BEGIN CERTIFICATE-----" + certificate)
    files.key.write_bytes(private)
    files.key.chmod(0o600)
    tls.check_files(files)
    first = make(one, Ledger(one), files)
    web = ssl.create_default_context(cadata=tls.authority(operator, ["ledger.bank.example"]).decode())
    shake(first.server(), web, "ledger.bank.example")
    _, asking = shake(first.server(), certificates.by_keys([one.public]))
    assert certificates.shown_key(asking.getpeercert(binary_form=True)).kid == one.kid
    files.key.chmod(0o644)
    with pytest.raises(HansaError) as caught:
        tls.check_files(files)
    assert caught.value.code == "key.exposed"


@pytest.mark.parametrize("broken", ["missing", "swapped", "empty", "foreign"])
def test_files_that_do_not_serve_are_told_of(tmp_path, broken):
    private, _, certificate = tls.issue(keys.generate(), ["a.example"]).partition(b"-----BEGIN CERTIFICATE-----")
    files = OwnFiles(tmp_path / "cert.pem", tmp_path / "cert.key")
    other = tls.issue(keys.generate(), ["b.example"]).partition(b"-----BEGIN CERTIFICATE-----")[0]
    texts = {
        "swapped": (private, certificate),
        "empty": (b"", b""),
        "foreign": (b"-----BEGIN CERTIFICATE-----" + certificate, other),
    }  # fmt: skip
    for path, text in zip((files.certificate, files.key), texts.get(broken, ()), strict=False):
        path.write_bytes(text)
        path.chmod(0o600)
    with pytest.raises(HansaError) as caught:
        tls.check_files(files)
    assert caught.value.code == "tls.files"


def test_a_new_key_is_shown_as_soon_as_the_ledger_knows_it(make):
    one, two = keys.generate(), keys.generate()
    ledger = Ledger(one, two)
    first = make(one, ledger)
    before = first.server()
    assert first.server() is before
    first._node.own_key = lambda: two
    _, asking = shake(first.server(), certificates.by_keys([two.public]))
    assert certificates.shown_key(asking.getpeercert(binary_form=True)).kid == two.kid
    with pytest.raises(ssl.SSLCertVerificationError):
        shake(first.server(), certificates.by_keys([one.public]))


def test_without_a_key_there_is_no_certificate(make):
    with pytest.raises(HansaError) as caught:
        make(None, Ledger()).server()
    assert caught.value.code == "key.node"


def test_a_certificate_that_names_no_key():
    with pytest.raises(HansaError) as caught:
        certificates.shown_key(b"no certificate")
    assert caught.value.code == "tls.untrusted"
    assert certificates.signer_of(None) is None
    assert certificates.signer_of({}) is None


def test_nothing_of_a_tls_key_stays_on_disk(make, tmp_path):
    one = keys.generate()
    first = make(one, Ledger(one))
    first.server()
    first.client()
    assert [path.name for path in tmp_path.iterdir()] == []
