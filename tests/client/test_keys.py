"""Key files: only their owner can read them, nothing is overwritten, and what others can read is refused."""

import base64
import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key

from hansa.client import keys
from hansa.wire.keys import EDDSA, ES256, PrivateKey
from hansa.wire.problems import HansaError


@pytest.fixture(autouse=True)
def generous_umask() -> Iterator[None]:
    """Modes come from the code, not from a careful umask."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.parametrize(("kind", "algorithm"), [("ed25519", EDDSA), ("p256", ES256)])
def test_a_new_key_signs(kind: str, algorithm: int) -> None:
    key = keys.generate(kind)
    assert key.algorithm == algorithm
    assert key.public.verify_exactly(key.sign(b"message"), b"message")
    assert not key.public.verify_exactly(key.sign(b"message"), b"another")


@pytest.mark.parametrize("kind", ["ed25519", "p256"])
def test_no_two_keys_are_the_same(kind: str) -> None:
    assert len({keys.generate(kind).kid for _ in range(20)}) == 20


def test_the_usual_kind_is_ed25519() -> None:
    assert keys.generate().algorithm == EDDSA


@pytest.mark.parametrize("kind", ["P256", "ed448", "", "rsa"])
def test_a_kind_that_is_not_known_is_refused(kind: str) -> None:
    with pytest.raises((HansaError, ValueError)):
        keys.generate(kind)


@pytest.mark.parametrize("kind", ["ed25519", "p256"])
def test_a_key_comes_back_from_its_file(kind: str, tmp_path: Path) -> None:
    key = keys.generate(kind)
    keys.save(key, tmp_path / "key.pem")
    again = keys.load(tmp_path / "key.pem")
    assert (again.kid, again.algorithm, again.pem()) == (key.kid, key.algorithm, key.pem())


def test_only_the_owner_can_read_a_key_file_and_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "members" / "acme.pem"
    keys.save(keys.generate(), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_key_file_is_never_overwritten(tmp_path: Path, refused: Callable) -> None:
    path = tmp_path / "key.pem"
    keys.save(keys.generate(), path)
    before = path.read_bytes()
    with refused("key.exists"):
        keys.save(keys.generate(), path)
    assert path.read_bytes() == before


def test_a_link_is_not_followed_to_overwrite(tmp_path: Path, refused: Callable) -> None:
    target = tmp_path / "target"
    (tmp_path / "key.pem").symlink_to(target)
    with refused("key.exists"):
        keys.save(keys.generate(), tmp_path / "key.pem")
    assert not target.exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610, 0o601, 0o602, 0o644, 0o777])
def test_a_key_that_others_can_read_is_refused(mode: int, tmp_path: Path, refused: Callable) -> None:
    path = tmp_path / "key.pem"
    keys.save(keys.generate(), path)
    path.chmod(mode)
    with refused("key.exposed") as caught:
        keys.load(path)
    assert f"{mode:o}" in caught.value.detail


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_a_key_that_only_its_owner_can_read_is_taken(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    key = keys.generate()
    keys.save(key, path)
    path.chmod(mode)
    assert keys.load(path).kid == key.kid


@pytest.mark.parametrize(
    "contents",
    [
        b"",
        b"no key",
        b"\x00" * 100,
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        b"x" * 1_000_000,
    ],
)
def test_a_file_that_is_no_key_is_refused(contents: bytes, tmp_path: Path, refused: Callable) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(contents)
    path.chmod(0o600)
    with refused("key.file") as caught:
        keys.load(path)
    assert str(path) in caught.value.detail


def test_a_public_key_is_not_a_private_one(tmp_path: Path, refused: Callable, signer: PrivateKey) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(signer.public.pem())
    path.chmod(0o600)
    with refused("key.file"):
        keys.load(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path, refused: Callable) -> None:
    with refused("key.file"):
        keys.load(tmp_path / "none.pem")


def test_a_folder_is_refused(tmp_path: Path, refused: Callable) -> None:
    with refused("key.file"):
        keys.load(tmp_path)


def test_a_key_is_no_part_of_an_error(tmp_path: Path, refused: Callable) -> None:
    path = tmp_path / "key.pem"
    keys.save(keys.generate(), path)
    secret = path.read_text().split("\n")[1]
    path.write_text(path.read_text().replace("BEGIN", "BEGUN"))
    with refused("key.file") as caught:
        keys.load(path)
    assert secret not in str(caught.value)
    assert secret not in repr(caught.value.problem())


def test_a_key_file_is_what_other_tools_read(tmp_path: Path) -> None:
    """PKCS#8 in PEM (RFC 5958, RFC 7468)."""
    path = tmp_path / "key.pem"
    keys.save(keys.generate("p256"), path)
    lines = path.read_text("ascii").strip().split("\n")
    assert (lines[0], lines[-1]) == ("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----")
    assert isinstance(load_der_private_key(base64.b64decode("".join(lines[1:-1])), None), EllipticCurvePrivateKey)


def test_why_a_file_is_no_private_key(tmp_path: Path, make_key: Callable) -> None:
    path, key = tmp_path / "k.pem", make_key("es256", "somebody")
    openssl = ["openssl", "pkey", "-in", str(tmp_path / "plain.pem"), "-aes256", "-passout", "pass:x"]
    keys.save(key, tmp_path / "plain.pem")
    encrypted = subprocess.run(openssl, check=True, capture_output=True).stdout
    told = {}
    for name, data in {"empty": b"\n", "encrypted": encrypted, "public": key.public.pem(), "garbage": b"xyz"}.items():
        path.write_bytes(data)
        path.chmod(0o600)
        with pytest.raises(HansaError) as caught:
            keys.load(path)
        assert caught.value.code == "key.file"
        told[name] = caught.value.detail.removeprefix(f"{path}: ")
    assert told == {
        "empty": "this is empty",
        "encrypted": "this key is encrypted: `openssl pkey -in FILE -out NEW` writes it unencrypted",
        "public": "this is a public key, which signs nothing: its private half is needed",
        "garbage": "this is not an unencrypted PKCS#8 private key in PEM",
    }


def test_a_seed_gives_the_key_of_the_standard() -> None:
    """RFC 8032 section 7.1, test 1."""
    key = keys.from_seed(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
    assert key.public.raw.hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    signature = key.sign(b"")
    assert signature.hex().startswith("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155")
