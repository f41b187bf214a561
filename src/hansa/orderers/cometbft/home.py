"""The home folder of a CometBFT engine: its keys, and the files that it reads at its start.

`make_keys` is called once, by whoever makes a network or a node; its two public facts go onto the ledger. `prepare` is
called by `orderer` before each start: all but the keys and the engine's own data is written anew from the settings and
from what the ledger says, so a file changed by hand does not last.
"""

import base64
import hashlib
import ipaddress
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hansa.orderers import Replica, Seat
from hansa.orderers.cometbft.settings import RETAINED, CometSettings
from hansa.store.files import FOLDER_MODE, Disk, read_whole, replace, trouble_told
from hansa.wire import names
from hansa.wire.limits import ENVELOPE_BYTES_MAX
from hansa.wire.problems import HansaError

TRANSACTIONS_MAX: Final = 16
"""Batches in a block of CometBFT."""
TRANSACTION_BYTES_MAX: Final = ENVELOPE_BYTES_MAX + 64 * 1024
"""A batch: 250 kB of envelopes, or one larger one alone, and the form around them."""
BLOCK_BYTES_MAX: Final = TRANSACTIONS_MAX * TRANSACTION_BYTES_MAX + 512 * 1024
"""The batches, the header, and the votes of many validators."""
EVIDENCE_NS_MAX: Final = 48 * 3600 * 10**9
"""So long, and for so many blocks as are kept, it can be shown that somebody voted twice."""
UNSIGNED_HEIGHTS: Final = 10
"""How far beyond what a node knows of it stays silent when its memory of what it signed is lost."""

_RENEWED: Final = "renewed"
_CHAIN_DIGITS: Final = 40
_PUBLIC: Final = "tendermint/PubKeyEd25519"
_PRIVATE: Final = "tendermint/PrivKeyEd25519"
_PRECOMMIT: Final = 3
_SOCKET_FOLDER_BYTES_MAX: Final = 95
"""The name of a socket has at most 103 bytes under macOS, 107 under Linux."""
_ROUND_MAX: Final = 2**31 - 1
"""No round of CometBFT comes behind it: at the height that names it nothing is signed any more."""


class EngineKeys(msgspec.Struct, frozen=True):
    """The public facts of an engine, as a `Seat` has them."""

    peer: str
    key: bytes


def make_keys(home: Path) -> EngineKeys:
    """Makes the two keys of an engine, or finds them there, and says what is public of them."""
    config = home / "config"
    disk = Disk()
    disk.make_folder(config)
    for name in ("node_key.json", "priv_validator_key.json"):
        if not (config / name).exists():
            replace(disk, config / name, _key_file(Ed25519PrivateKey.generate()))
    node, validator = _public(config / "node_key.json"), _public(config / "priv_validator_key.json")
    return EngineKeys(peer=_address(node).lower(), key=validator)


def prepare(settings: CometSettings, replica: Replica, height: int) -> None:
    """Writes all that the engine reads. `height`: of the last of its blocks that the ledger has something of.

    Raises `HansaError` `folder.access`, `disk.full`, or `engine.keys`: the keys are not those that the ledger has for
    the node, or genesis names nobody that votes.
    """
    home, disk = Path(settings.home), Disk()
    config, data = home / "config", home / "data"
    with trouble_told(home):
        disk.make_folder(home)
        if height and not (data / "blockstore.db").exists():
            replace(disk, home / _RENEWED, b"")
        found, own = make_keys(home), own_seat(settings, replica.seats())
        if own is not None and (found.peer, found.key) != (own.peer, own.key):
            raise HansaError("engine.keys", f"{config} holds the keys of another node than {own.name}")
        if not any(seat.power for seat in replica.founders):
            raise HansaError("engine.keys", "genesis names no engine, so none of CometBFT can order for this ledger")
        disk.make_folder(data)
        configure(settings, replica.seats())
        replace(disk, config / "genesis.json", genesis(replica))
        if not (data / "priv_validator_state.json").exists():
            replace(disk, data / "priv_validator_state.json", _signed(height))


def configure(settings: CometSettings, seats: Sequence[Seat]) -> None:
    """Writes what it reads of the others: they come and go. Raises `HansaError` `folder.access`, `disk.full`."""
    with trouble_told(Path(settings.home)):
        replace(Disk(), Path(settings.home) / "config" / "config.toml", configuration(settings, seats).encode())


def own_seat(settings: CometSettings, seats: Sequence[Seat]) -> Seat | None:
    """The node itself; None if the ledger, as far as it is known here, does not let it in."""
    return next((seat for seat in seats if seat.name == settings.node), None)


def is_renewed(home: Path) -> bool:
    """Whether the engine lost its data and has not yet come as far again as the ledger is."""
    return (home / _RENEWED).exists()


def unmark_renewed(home: Path) -> None:
    """It has."""
    if is_renewed(home):
        Disk().unlink(home / _RENEWED)
        Disk().sync_folder(home)


def socket_folder(home: Path) -> Path:
    """An empty folder for sockets that only this account may enter: in the home, unless that has too long a name."""
    folder = home.absolute() / "sockets"
    if len(os.fsencode(folder)) > _SOCKET_FOLDER_BYTES_MAX:
        return Path(tempfile.mkdtemp(prefix="hansa-"))
    shutil.rmtree(folder, ignore_errors=True)  # of a node that was killed
    folder.mkdir(FOLDER_MODE)
    return folder


def configuration(settings: CometSettings, seats: Sequence[Seat]) -> str:
    """config.toml. What is not in it is as CometBFT has it; sockets are named on the command line.

    Only trusted nodes are gone to: others come by themselves, and what they call their address is not ours to try.
    """
    own = own_seat(settings, seats)
    others = [each for each in seats if each.name != settings.node and each.is_trusted]
    reached = [(each.peer, settings.addresses.get(each.name, each.address)) for each in others]
    peers = [*(f"{peer}@{address}" for peer, address in reached if names.is_address(address)), *settings.peers]
    ids = ",".join(dict.fromkeys(peer.partition("@")[0] for peer in [*(each.peer for each in others), *settings.peers]))
    local = all(_is_loopback(peer.partition("@")[2]) for peer in peers)
    sections: dict[str, dict[str, str | int | bool]] = {
        "": {
            "moniker": settings.node,
            "log_level": "error",
            "log_format": "json",
            "filter_peers": True,
        },
        "rpc": {"max_body_bytes": 33_554_432},
        "p2p": {
            "laddr": f"tcp://{settings.listen}",
            "external_address": "" if own is None else own.address,
            "persistent_peers": ",".join(dict.fromkeys(peers)),
            "unconditional_peer_ids": ids,
            "pex": False,
            "addr_book_strict": not local,
            "allow_duplicate_ip": True,
            "max_packet_msg_payload_size": 65_536,  # the same everywhere: who has less cuts the connection
            "flush_throttle_timeout": "2ms",
            "send_rate": 512_000_000,
            "recv_rate": 512_000_000,
            "persistent_peers_max_dial_period": "5s",
        },
        "mempool": {
            "type": "flood",
            "recheck": False,
            "broadcast": True,
            "size": 5_000,
            "max_tx_bytes": 8_388_608,
            "max_txs_bytes": 268_435_456,
        },
        "consensus": {
            "timeout_commit": "0s",
            "skip_timeout_commit": True,
            "create_empty_blocks": False,
            "timeout_propose": "3s" if settings.wan else "1s",
            "timeout_propose_delta": "200ms",
            "timeout_prevote": "300ms",
            "timeout_precommit": "300ms",
            "peer_gossip_sleep_duration": "50ms" if settings.wan else "10ms",
        },
        "tx_index": {"indexer": "null"},
        "storage": {"discard_abci_responses": True},
    }
    lines: list[str] = []
    for section, values in sections.items():
        lines += [f"[{section}]"] if section else []
        lines += [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    return "\n".join(lines) + "\n"


def genesis(replica: Replica) -> bytes:
    """genesis.json: the same on every node, from what the ledger's own genesis says."""
    document = {
        "genesis_time": datetime.fromtimestamp(replica.time // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        + f".{replica.time % 1000:03d}Z",
        "chain_id": f"hansa-{replica.ledger.hex()[:_CHAIN_DIGITS]}",
        "initial_height": "1",
        "consensus_params": {
            "block": {"max_bytes": str(BLOCK_BYTES_MAX), "max_gas": "-1"},
            "evidence": {
                "max_age_num_blocks": str(RETAINED),
                "max_age_duration": str(EVIDENCE_NS_MAX),
                "max_bytes": "65536",
            },
            "validator": {"pub_key_types": ["ed25519"]},
            "version": {"app": "0"},
            "abci": {"vote_extensions_enable_height": "0"},
        },
        "validators": [
            {"pub_key": _typed(_PUBLIC, each.key), "power": str(each.power), "name": each.name}
            for each in replica.founders
            if each.power
        ],
        "app_hash": "",
    }
    return json.dumps(document, indent=1).encode()


def _key_file(key: Ed25519PrivateKey) -> bytes:
    """A key as CometBFT has it in files, seed and public key together. A node's is read from the same form."""
    public = key.public_key().public_bytes_raw()
    secret = _typed(_PRIVATE, key.private_bytes_raw() + public)
    return json.dumps({"address": _address(public), "pub_key": _typed(_PUBLIC, public), "priv_key": secret}).encode()


def _public(path: Path) -> bytes:
    """The public key of a key file, from the private one: that is what the engine goes by."""
    try:
        document: Any = json.loads(read_whole(Disk(), path))
        secret = base64.b64decode(document["priv_key"]["value"], validate=True)
        return Ed25519PrivateKey.from_private_bytes(secret[:32]).public_key().public_bytes_raw()
    except (ValueError, KeyError, TypeError):
        raise HansaError("engine.keys", f"{path} is no key file of CometBFT") from None


def _signed(height: int) -> bytes:
    """What a validator signed last. Where that is lost, it stays silent for heights at which it may have signed."""
    silent = height + UNSIGNED_HEIGHTS if height else 0
    return json.dumps(
        {"height": str(silent), "round": _ROUND_MAX if silent else 0, "step": _PRECOMMIT if silent else 0}
    ).encode()


def _typed(type: str, value: bytes) -> dict[str, str]:
    return {"type": type, "value": base64.b64encode(value).decode()}


def _address(public: bytes) -> str:
    return hashlib.sha256(public).hexdigest()[:40].upper()


def _is_loopback(address: str) -> bool:
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
