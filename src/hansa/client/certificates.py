"""Certificates under node keys: how a connection shows that a node which the ledger names is at its other end.

A node has a TLS key of its own, new at each start, and gives it a certificate under its registered key (`node.tls`).
Whoever knows that key needs no other authority: it makes an anchor of it (`anchor`), to which OpenSSL builds the chain.
Dates are not looked at where keys are known: when a key stops to count, the ledger says.
"""

import datetime
import ssl
from collections.abc import Iterable
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hansa.wire.keys import PublicKey
from hansa.wire.problems import HansaError

NODE_NAME: Final = "node.hansa.internal"
"""Who asks for this name (RFC 6066 section 3) gets the certificate under the node's key, not its operator's."""
KEY_URI: Final = "hansa:node-key:"
"""Begins the name in a certificate that tells the SPKI of the key which signed it, in hexadecimal."""
ALWAYS: Final = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
NEVER: Final = datetime.datetime(9999, 12, 31, 23, 59, 59, tzinfo=datetime.UTC)
"""The end of what has none (RFC 5280 section 4.1.2.5)."""
_NO_CHECK_TIME: Final = 0x20_0000
"""X509_V_FLAG_NO_CHECK_TIME, which Python's ssl has no name for."""


def authority_name(kid: bytes) -> x509.Name:
    """The name under which a node key signs certificates."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, kid.hex())])


def anchor(key: PublicKey) -> bytes:
    """The certificate, in DER, that makes a known key a trust anchor.

    An anchor is trusted for what it is (RFC 5280 section 6.1.1): nobody verifies its signature, which is by a key that
    is thrown away here.
    """
    public = serialization.load_der_public_key(key.spki)
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "known by the ledger")])  # else it would sign itself
    return (
        x509.CertificateBuilder()
        .subject_name(authority_name(key.kid))
        .issuer_name(issuer)
        .public_key(public)  # type: ignore[arg-type]  # both kinds of keys are among those it takes
        .serial_number(1)
        .not_valid_before(ALWAYS)
        .not_valid_after(NEVER)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)  # type: ignore[arg-type]
        .sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )


def trust_keys(context: ssl.SSLContext, keys: Iterable[PublicKey]) -> None:
    """Has a context take certificates under these keys, whatever their dates and names are, by TLS 1.3."""
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN | ssl.VerifyFlags(_NO_CHECK_TIME)
    for key in keys:
        context.load_verify_locations(cadata=anchor(key))


def by_keys(keys: Iterable[PublicKey]) -> ssl.SSLContext:
    """A client's context for nodes that have one of these keys."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trust_keys(context, keys)
    return context


def shown_key(certificate: bytes) -> PublicKey:
    """The node key that a certificate, in DER, says it is under; whether it is, a handshake by that key shows.

    Raises `HansaError` `tls.untrusted` if it names none.
    """
    try:
        extension = x509.load_der_x509_certificate(certificate).extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
        names = extension.value.get_values_for_type(x509.UniformResourceIdentifier)
        found = [name.removeprefix(KEY_URI) for name in names if name.startswith(KEY_URI)]
        return PublicKey(bytes.fromhex(found[0]))
    except (ValueError, IndexError, x509.ExtensionNotFound, HansaError):
        raise HansaError("tls.untrusted", "its certificate is under no node's key") from None


def signer_of(peer: dict[str, Any] | None) -> bytes | None:
    """The kid of the node key that a verified certificate is under, as `SSLSocket.getpeercert` gives one."""
    issuer = dict(pair for part in (peer or {}).get("issuer", ()) for pair in part)
    name = issuer.get("commonName", "")
    return bytes.fromhex(name) if peer and len(name) == 64 else None
