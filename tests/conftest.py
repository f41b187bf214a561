"""What all tests share: refusals by code, keys made from a name, the vectors beside the project."""

import gc
import hashlib
import multiprocessing
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import settings

from hansa.node import workers
from hansa.orderers import engines as pins
from hansa.store import folder
from hansa.wire.keys import PrivateKey
from hansa.wire.problems import HansaError

HOMES = Path(__file__).parent / "homes"
VECTORS = Path(__file__).parents[2] / "shared" / "data" / "vectors"

# A busy machine is no failure: pytest-timeout bounds each test instead.
settings.register_profile("hansa", deadline=None)
settings.load_profile("hansa")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Thousands of tests are collected and stay to the end: to look for garbage among them takes long, and finds none.

    Without this, every full collection that a test brings about looks at all of them.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home folder of this process's account, and of the processes that it starts: nothing is left in the real one.

    No variable decides where signer locks lie, so the password database is what must be another.
    """
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folder, "account_home", lambda: home)
        patch.setenv("HANSA_TEST_HOME", str(home))
        patch.setenv("PYTHONPATH", str(HOMES), prepend=os.pathsep)
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)  # hundreds of processes need not compile all again
        # A pytest that a test starts, as a user would, need not wait for a plugin that users seldom have.
        patch.setenv("PYTEST_ADDOPTS", "-p no:schemathesis")
        yield home


@pytest.fixture(scope="session", autouse=True)
def workers_at_hand(own_home: Path) -> Iterator[None]:
    """Workers are forked from a process that has imported what they need, and has done nothing else.

    To start Python for each takes longer than most of what they do. `hansa` in a process of its own starts them afresh,
    as does `test_a_worker_starts_afresh`.
    """
    multiprocessing.set_forkserver_preload(["hansa.node.audit", "hansa.doctor.sample"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workers, "START", "forkserver")
        yield


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


@pytest.fixture(scope="session")
def engines() -> dict[str, Path]:
    """The programs of the ordering engines, by name. Without them this fails; `make test` has them built before."""
    return {name: pins.find(name) for name in pins.NAMES}
