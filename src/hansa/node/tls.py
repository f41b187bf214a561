"""The certificates of a node: what it shows to others, and whom it takes for another node of the ledger.

Its TLS key is new at each start, and on disk for no longer than it takes to load it. Its certificate is under the
node's registered key and made anew every day. Whoever knows that key from the ledger needs nothing else
(`client.certificates`); for other programs the key's own certificate is an authority (`AUTHORITY`). An operator's
certificate, if there is one, is shown to whoever does not ask for the node by `NODE_NAME`.

Between nodes both show certificates. An expired one under a key that counts is a warning, never a refusal: when a key
stops to count, the ledger says.
"""

import datetime
import ipaddress
import ssl
import stat
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID

from hansa.client.certificates import ALWAYS, KEY_URI, NEVER, NODE_NAME, authority_name, signer_of, trust_keys
from hansa.client.connections import Certificates
from hansa.node.node import Node
from hansa.store.files import Disk, replace, trouble_told
from hansa.wire.keys import PrivateKey
from hansa.wire.problems import HansaError

log = structlog.get_logger()

AUTHORITY: Final = "authority.pem"
"""In the node's folder: the certificate that its own ones are under, for programs that know no ledger."""
LIFE: Final = datetime.timedelta(days=30)
"""Of a certificate: it is made anew every day, so that who enforces dates has a month of grace."""
RENEWED_S: Final = 24 * 3600.0
"""After which it is made anew."""
EARLIER: Final = datetime.timedelta(days=2)
"""Certificates count from before they are made, since clocks differ."""


class OwnFiles(msgspec.Struct, frozen=True):
    """The operator's certificate, with its chain, and its key: PEM files."""

    certificate: Path
    key: Path


def check_files(own: OwnFiles) -> None:
    """Raises `HansaError`: `tls.files` unless the two belong together, `key.exposed` if others can read the key."""
    _load_own(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), own)


class Credentials:
    """What a node shows, and whom it takes. `names`: the hosts by which others reach it.

    Contexts are made anew when keys change on the ledger, files of the operator's on disk, or a day has passed.
    """

    def __init__(self, node: Node, names: Sequence[str], own: OwnFiles | None = None) -> None:
        self._node = node
        self._names = names
        self._own = own
        self._key: PrivateKey | None = None
        self._made: dict[str, tuple[Any, ssl.SSLContext]] = {}
        self._warned: set[bytes] = set()

    def server(self) -> ssl.SSLContext:
        """For whoever connects. Raises `HansaError`: `key.node`, `tls.files`, `folder.access`, `disk.full`."""
        changed = (
            None if self._own is None else tuple(_changed(path) for path in (self._own.certificate, self._own.key))
        )
        return self._kept("server", changed, self._make_server)

    def client(self) -> ssl.SSLContext:
        """For connections to other nodes: shows this one's certificate, takes theirs alone. Raises as `server`."""
        return self._kept("client", frozenset(self._node.directory.peer_keys()), self._make_client)

    def peer(self, certificate: dict[str, Any] | None) -> bytes | None:
        """The kid of the node key that a connection's verified certificate is under, if that still counts.

        A certificate that has expired is told of in the log, once for each key.
        """
        kid = signer_of(certificate)
        if kid is None or kid not in self._node.directory.peer_keys():
            return None
        assert certificate is not None
        if ssl.cert_time_to_seconds(certificate["notAfter"]) < time.time() and kid not in self._warned:
            self._warned.add(kid)
            log.warning("tls.expired", node=self._node.directory.node_owners[kid], since=certificate["notAfter"])
        return kid

    def write_authority(self) -> Path:
        """Writes the certificate of the node's key; where it is. Raises as `server`."""
        path = self._node.folder.root / AUTHORITY
        with trouble_told(path):
            replace(Disk(), path, authority(self._own_key(), self._names))
        return path

    def _own_key(self) -> PrivateKey:
        self._key = (
            self._node.own_key() or self._key
        )  # one that was just ended serves until the new one's file is there
        if self._key is None:
            raise HansaError("key.node")
        return self._key

    def _kept(self, name: str, state: Any, make: Any) -> ssl.SSLContext:
        state = state, self._own_key().kid, time.monotonic() // RENEWED_S
        found = self._made.get(name)
        if found is None or found[0] != state:
            found = self._made[name] = state, make()
        return found[1]

    def _make_server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # What a connection asks for, and how it verifies that, stays as it is here whatever context it is given later.
        context.verify_mode = ssl.CERT_OPTIONAL
        trust_keys(context, ())
        if self._own is None:
            self._load(context)
        else:
            _load_own(context, self._own)

        def named(connection: Any, name: str | None, _: ssl.SSLContext) -> None:
            if name == NODE_NAME:
                state = frozenset(self._node.directory.peer_keys())
                connection.context = self._kept("peers", state, self._make_peers)

        context.sni_callback = named  # type: ignore[assignment]  # typeshed leaves no name out
        return context

    def _make_peers(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.verify_mode = ssl.CERT_OPTIONAL
        trust_keys(context, self._node.directory.peer_keys().values())
        self._load(context)
        return context

    def _make_client(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trust_keys(context, self._node.directory.peer_keys().values())
        self._load(context)
        return context

    def _load(self, context: ssl.SSLContext) -> None:
        """Has a context show a new certificate; OpenSSL reads it from a file, which nobody else can."""
        folder = self._node.folder.keys
        with trouble_told(folder), tempfile.NamedTemporaryFile(dir=folder, prefix="tls-") as file:
            file.write(issue(self._own_key(), self._names))
            file.flush()
            context.load_cert_chain(file.name)


class PeerCertificates(Certificates):
    """How a node knows others: by their keys on the ledger, with its own certificate shown. On its event loop."""

    waits = False

    def __init__(self, credentials: Credentials) -> None:
        super().__init__(None, by_keys=True)
        self._credentials = credentials

    def context(self, url: str) -> ssl.SSLContext:
        """See `Certificates`."""
        return self._credentials.client()

    def known(self, url: str) -> object:
        """See `Certificates`."""
        return self._credentials.client()


def issue(key: PrivateKey, names: Sequence[str], now: datetime.datetime | None = None) -> bytes:
    """A new key and its certificate under a node key, for these hosts, in PEM."""
    now = now or datetime.datetime.now(datetime.UTC)
    own, signing = ec.generate_private_key(ec.SECP256R1()), _signing(key)
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]  # each both serves and asks
    known = [*map(_general_name, dict.fromkeys([*names, NODE_NAME]))]
    known.append(x509.UniformResourceIdentifier(KEY_URI + key.public.spki.hex()))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))  # RFC 5280 section 4.2.1.6: then the names are critical
        .issuer_name(authority_name(key.kid))
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLIER)
        .not_valid_after(now + LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .add_extension(x509.SubjectAlternativeName(known), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False)
        .sign(signing, _hash(signing))
    )
    private = own.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)


def authority(key: PrivateKey, names: Sequence[str]) -> bytes:
    """The certificate of a node key by itself, in PEM: an authority for these hosts alone (RFC 5280, 4.2.1.10)."""
    signing, name = _signing(key), authority_name(key.kid)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(signing.public_key())
        .serial_number(1)
        .not_valid_before(ALWAYS)
        .not_valid_after(NEVER)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(_constraints(names), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(signing.public_key()), critical=False)
        .sign(signing, _hash(signing))
        .public_bytes(serialization.Encoding.PEM)
    )


def _signing(key: PrivateKey) -> ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey:
    found = serialization.load_pem_private_key(key.pem(), None)
    assert isinstance(found, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey)
    return found


def _hash(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> hashes.SHA256 | None:
    """Ed25519 takes the message as it is (RFC 8032)."""
    return hashes.SHA256() if isinstance(key, ec.EllipticCurvePrivateKey) else None


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _constraints(names: Sequence[str]) -> x509.NameConstraints:
    """These hosts, and of each kind no other: what is not said of a kind at all would be open."""
    known = [*map(_general_name, dict.fromkeys([*names, NODE_NAME]))]
    addresses = [one.value for one in known if isinstance(one, x509.IPAddress)]
    return x509.NameConstraints(
        [
            *(one for one in known if isinstance(one, x509.DNSName)),
            *(x509.IPAddress(ipaddress.ip_network(str(address))) for address in addresses),
        ],
        None if addresses else [x509.IPAddress(ipaddress.ip_network(every)) for every in ("0.0.0.0/0", "::/0")],
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    """An authority signs certificates, a node connections."""
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _load_own(context: ssl.SSLContext, own: OwnFiles) -> None:
    try:
        mode = own.key.stat().st_mode
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise HansaError("key.exposed", f"others can read {own.key}: its mode is {stat.S_IMODE(mode):o}")
        context.load_cert_chain(own.certificate, own.key, password=_no_password)
    except (OSError, ssl.SSLError, ValueError) as error:
        raise HansaError("tls.files", f"{own.certificate}, {own.key}: {error}") from None


def _no_password() -> str:
    """Else OpenSSL would ask at the terminal."""
    return ""


def _changed(path: Path) -> int:
    """When a file was changed last, in ns; 0 if it is not there, which shows when it is loaded."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
