"""Certificates of a member's nodes: its own authority vouches for them, and they are made anew whenever asked."""

import datetime
import ipaddress
import ssl
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from hansa.node import certificates
from hansa.store.files import Disk

LOOPBACK = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    certificates.make_authority(Disk(), tmp_path / "authority", "acme")
    return tmp_path / "authority"


def read(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def check(authority: Path, path: Path, days: float) -> None:
    """Raises unless the authority vouches for a node at this address in so many days."""
    at = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
    trusted = PolicyBuilder().store(Store([read(authority / certificates.AUTHORITY)])).time(at)
    trusted.build_server_verifier(LOOPBACK).verify(read(path), [])
    trusted.build_client_verifier().verify(read(path), [])


def test_a_node_is_vouched_for_as_server_and_client(authority: Path, tmp_path: Path) -> None:
    path = tmp_path / "engine" / "certificate.pem"
    certificates.renew(Disk(), authority, "acme-1", path)
    for days in (-1, 0, certificates.LIFE_DAYS - 1):
        check(authority, path, days)
    with pytest.raises(VerificationError):
        check(authority, path, certificates.LIFE_DAYS + 1)
    certificates.make_authority(Disk(), tmp_path / "other", "bolt")
    with pytest.raises(VerificationError):
        check(tmp_path / "other", path, 0)


def test_certificate_and_key_are_one_file_that_is_replaced(authority: Path, tmp_path: Path) -> None:
    path = tmp_path / "certificate.pem"
    certificates.renew(Disk(), authority, "acme-1", path)
    first = path.read_bytes()
    ssl.create_default_context().load_cert_chain(path, path)
    key = serialization.load_pem_private_key(first, None)
    assert key.public_key() == read(path).public_key()
    certificates.renew(Disk(), authority, "acme-1", path)
    assert read(path).public_key() != key.public_key()
    assert [stat.S_IMODE(file.stat().st_mode) for file in (path, *sorted(authority.iterdir()))] == [0o600] * 3


def test_an_authority_does_not_end(authority: Path) -> None:
    assert read(authority / certificates.AUTHORITY).not_valid_after_utc.year == 9999


@pytest.mark.parametrize("name", [certificates.AUTHORITY, "key.pem"])
def test_without_its_authority_a_node_gets_none(name: str, authority: Path, refused: Callable) -> None:
    path = authority.parent / "certificate.pem"
    (authority / name).write_bytes(b"nothing")
    with refused("key.file"):
        certificates.renew(Disk(), authority, "acme-1", path)
    (authority / name).unlink()
    with refused("key.file"):
        certificates.renew(Disk(), authority, "acme-1", path)
    assert not path.exists()
