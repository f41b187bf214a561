"""What all tests share: refusals by code, keys made from a name, the vectors beside the project."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import settings

from hansa.wire.keys import PrivateKey
from hansa.wire.problems import HansaError

VECTORS = Path(__file__).parents[2] / "shared" / "data" / "vectors"

# A busy machine is no failure: pytest-timeout bounds each test instead.
settings.register_profile("hansa", deadline=None)
settings.load_profile("hansa")


@pytest.fixture(scope="session")
def refused() -> Callable[[str], AbstractContextManager[pytest.ExceptionInfo[HansaError]]]:
    """`with refused("cbor.form"): ...` passes only if the block raises a `HansaError` of exactly this code."""

    @contextmanager
    def expect(code: str) -> Iterator[pytest.ExceptionInfo[HansaError]]:
        with pytest.raises(HansaError) as caught:
            yield caught
        assert caught.value.code == code

    return expect


@pytest.fixture(scope="session")
def make_key() -> Callable[[str, str], PrivateKey]:
    """`make_key("es256", "acme")`: the same name gives the same key in every run."""

    @cache
    def make(kind: str, name: str) -> PrivateKey:
        seed = hashlib.sha256(name.encode()).digest()
        if kind == "eddsa":
            key = Ed25519PrivateKey.from_private_bytes(seed)
        else:
            key = ec.derive_private_key(int.from_bytes(seed, "big") >> 1, ec.SECP256R1())
        return PrivateKey(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

    return make


@pytest.fixture(scope="session", params=["es256", "eddsa"])
def signer(request: pytest.FixtureRequest, make_key: Callable[[str, str], PrivateKey]) -> PrivateKey:
    """A key of each algorithm in turn."""
    return make_key(request.param, "signer")


@pytest.fixture(scope="session")
def vectors() -> Path:
    """The folder of third-party vectors, which CI puts beside the project."""
    if not VECTORS.is_dir():
        pytest.skip(f"there are no vectors at {VECTORS}")
    return VECTORS
