"""Certificates between the nodes of one member: its own authority, and what that gives an engine.

etcd lets in whoever shows a certificate of the cluster's authority, and enforces dates. So each member has an authority
of its own, which needs no network and has no end, and each node gets a new key and certificate from it at every start
and every day. Between Hansa's own nodes registered keys count, not certificates. Called by `network` and `ordering`.
"""

import datetime
import ipaddress
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hansa.store.files import Files, read_whole, replace, trouble_told
from hansa.wire.problems import HansaError

LIFE_DAYS: Final = 30
"""Of a node's certificate: it is made anew every day, so there is a month to mend what keeps it from that."""
AUTHORITY: Final = "certificate.pem"
"""In the folder of an authority: the certificate that its nodes know each other by."""
_AUTHORITY_KEY: Final = "key.pem"
_EARLIER: Final = datetime.timedelta(days=2)
"""Certificates count from before they are made, since clocks differ."""
_NEVER: Final = datetime.datetime(9999, 12, 31, 23, 59, 59, tzinfo=datetime.UTC)
"""The end of what has none (RFC 5280 section 4.1.2.5)."""
_HOSTS: Final = (
    x509.DNSName("localhost"),
    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    x509.IPAddress(ipaddress.ip_address("::1")),
)


def make_authority(files: Files, folder: Path, member: str) -> None:
    """A member's authority in a new folder: its key, and the certificate that it gives itself."""
    key, name = ec.generate_private_key(ec.SECP256R1()), _name(f"nodes of {member}")
    certificate = (
        _builder(name, name, key.public_key(), _NEVER)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    files.make_folder(folder)
    replace(files, folder / _AUTHORITY_KEY, _pem(key))
    replace(files, folder / AUTHORITY, certificate.public_bytes(serialization.Encoding.PEM))


def renew(files: Files, authority: Path, node: str, path: Path) -> None:
    """A new key and certificate for a node on loopback, from the authority in a folder, in one file at `path`.

    In one, since two could not be replaced at once. Raises `HansaError`: `key.file` if there is no authority,
    `folder.access`, `disk.full`.
    """
    issuer, issuing = _load(files, authority)
    key = ec.generate_private_key(ec.SECP256R1())
    ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=LIFE_DAYS)
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]  # each both serves and asks
    certificate = (
        _builder(_name(node), issuer.subject, key.public_key(), ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .add_extension(x509.SubjectAlternativeName(_HOSTS), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuing.public_key()), critical=False)
        .sign(issuing, hashes.SHA256())
    )
    with trouble_told(path):
        files.make_folder(path.parent)
        replace(files, path, certificate.public_bytes(serialization.Encoding.PEM) + _pem(key))


def _load(files: Files, folder: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """The authority in a folder. Raises `HansaError` `key.file`."""
    try:
        certificate = x509.load_pem_x509_certificate(read_whole(files, folder / AUTHORITY))
        key = serialization.load_pem_private_key(read_whole(files, folder / _AUTHORITY_KEY), None)
    except (OSError, ValueError, TypeError) as error:
        told = f"{folder} holds no certificate authority: {error}"
        raise HansaError("key.file", told, remedy="Put back the folder that `hansa network new` made.") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise HansaError("key.file", f"{folder / _AUTHORITY_KEY} is no key on P-256")
    return certificate, key


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, ends: datetime.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.datetime.now(datetime.UTC) - _EARLIER)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    """An authority signs certificates, a node connections."""
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
