"""What an engine reads at its start: the same genesis everywhere, keys of its own, and never a vote twice."""

import json
import tempfile
import tomllib
from pathlib import Path

import msgspec
import pytest
from tests.orderers.cometbft import networks
from tests.orderers.replicas import LEDGER

from hansa.orderers import Replica
from hansa.orderers.cometbft import home
from hansa.orderers.cometbft.settings import CometSettings
from hansa.wire.genesis import Limits
from hansa.wire.problems import HansaError


@pytest.fixture
def founded(tmp_path):
    return networks.network(tmp_path, ["acme-1", "acme-2", "bolt-1"])


@pytest.fixture
def network(founded):
    return founded[0]


@pytest.fixture
def replica(founded):
    return replica_of(founded[1])


def replica_of(seats, founders=None):
    """What a node says of itself whose ledger has these seats."""
    return Replica(
        LEDGER,
        lambda: 0,
        Limits,
        lambda _: bytes(32),
        networks.BEGUN,
        seats if founders is None else founders,
        lambda: seats,
        lambda first, end: [],
    )


def read(settings, name):
    with open(f"{settings.home}/{name}", "rb") as file:
        return tomllib.load(file) if name.endswith(".toml") else json.load(file)


def test_all_engines_have_one_genesis_and_each_its_own_keys(network, replica):
    for settings in network:
        home.prepare(settings, replica, 0)
    first, *others = network
    genesis = read(first, "config/genesis.json")
    assert all(read(other, "config/genesis.json") == genesis for other in others)
    assert genesis["chain_id"] == f"hansa-{LEDGER.hex()[:40]}"
    assert len(genesis["chain_id"]) <= 50
    assert [each["name"] for each in genesis["validators"]] == ["acme-1", "acme-2", "bolt-1"]
    config = read(first, "config/config.toml")
    assert config["p2p"]["persistent_peers"].count("@127.0.0.1:") == 2
    assert replica.founders[0].peer not in config["p2p"]["persistent_peers"]
    assert config["p2p"]["pex"] is False
    assert config["filter_peers"] is True
    keys = {
        read(each, f"config/{name}")["priv_key"]["value"]
        for each in network
        for name in ("node_key.json", "priv_validator_key.json")
    }
    assert len(keys) == 6


def test_what_lies_in_the_folder_is_for_its_owner_alone(network, replica):
    home.prepare(network[0], replica, 0)
    for name in ("node_key.json", "priv_validator_key.json"):
        assert (Path(network[0].home) / "config" / name).stat().st_mode & 0o077 == 0


def test_keys_stay_and_what_is_changed_by_hand_does_not(network, replica):
    settings = network[0]
    home.prepare(settings, replica, 0)
    before = read(settings, "config/config.toml")
    with open(f"{settings.home}/config/config.toml", "w") as file:
        file.write("[p2p]\npex = true\n")
    keys = home.make_keys(Path(settings.home))
    home.prepare(settings, replica, 0)
    assert (keys.peer, keys.key) == (replica.founders[0].peer, replica.founders[0].key)
    assert read(settings, "config/config.toml") == before


def test_a_node_does_not_start_with_the_keys_of_another(network, replica):
    stolen = msgspec.structs.replace(network[0], home=network[1].home)
    with pytest.raises(HansaError) as raised:
        home.prepare(stolen, replica, 0)
    assert raised.value.code == "engine.keys"


def test_a_key_file_that_is_none_is_told(network, replica):
    with open(f"{network[0].home}/config/node_key.json", "w") as file:
        file.write('{"priv_key": {}}')
    with pytest.raises(HansaError) as raised:
        home.prepare(network[0], replica, 0)
    assert raised.value.code == "engine.keys"
    assert "node_key.json" in raised.value.detail


def test_a_new_engine_votes_at_once_and_one_that_lost_its_memory_later(network, replica):
    first, second, _ = network
    home.prepare(first, replica, 0)
    assert read(first, "data/priv_validator_state.json") == {"height": "0", "round": 0, "step": 0}
    home.prepare(first, replica, 500)
    assert read(first, "data/priv_validator_state.json")["height"] == "0"  # it remembers: nothing is put over that
    home.prepare(second, replica, 500)
    lost = read(second, "data/priv_validator_state.json")
    assert int(lost["height"]) == 500 + home.UNSIGNED_HEIGHTS
    assert (lost["round"], lost["step"]) == (2**31 - 1, 3)


def test_an_engine_without_data_beside_a_ledger_is_marked_until_it_has_caught_up(network, replica):
    settings = network[0]
    folder = Path(settings.home)
    home.prepare(settings, replica, 0)
    assert not home.is_renewed(folder)
    home.prepare(settings, replica, 7)
    assert home.is_renewed(folder)
    (folder / "data" / "blockstore.db").mkdir()
    home.prepare(settings, replica, 7)
    assert home.is_renewed(folder)
    home.unmark_renewed(folder)
    home.prepare(settings, replica, 7)
    assert not home.is_renewed(folder)


def test_addresses_beyond_loopback_are_held_to_the_book(network, replica):
    near = tomllib.loads(home.configuration(network[0], replica.founders))
    assert near["p2p"]["addr_book_strict"] is False
    far = [msgspec.structs.replace(each, address="node.example:26656") for each in replica.founders]
    settings = msgspec.structs.replace(network[0], wan=True, listen="0.0.0.0:26656")
    config = tomllib.loads(home.configuration(settings, far))
    assert config["p2p"]["addr_book_strict"] is True
    assert config["p2p"]["laddr"] == "tcp://0.0.0.0:26656"
    assert config["consensus"]["timeout_propose"] == "3s"


def test_an_engine_goes_to_trusted_nodes_where_the_ledger_or_its_operator_says(network, replica):
    _, second, third = replica.founders
    seats = [replica.founders[0], second, msgspec.structs.replace(third, is_trusted=False)]
    begin = "a" * 40 + "@10.0.0.1:26656"
    settings = msgspec.structs.replace(network[0], addresses={"acme-2": "10.0.0.2:26656"}, peers=[begin])
    config = tomllib.loads(home.configuration(settings, seats))["p2p"]
    assert config["persistent_peers"] == f"{second.peer}@10.0.0.2:26656,{begin}"
    assert config["unconditional_peer_ids"] == f"{second.peer},{'a' * 40}"
    broken = [seats[0], *(msgspec.structs.replace(each, address="x:1,y:2") for each in seats[1:])]
    assert tomllib.loads(home.configuration(network[0], broken))["p2p"]["persistent_peers"] == ""


def test_initial_votes_are_those_of_genesis_whatever_the_ledger_says_since(network, replica):
    first, second, third = replica.founders
    since = [first, msgspec.structs.replace(second, power=0)]
    home.prepare(network[0], replica_of(since, [first, second, msgspec.structs.replace(third, power=7)]), 0)
    told = read(network[0], "config/genesis.json")["validators"]
    assert [(each["name"], each["power"]) for each in told] == [("acme-1", "1"), ("acme-2", "1"), ("bolt-1", "7")]


def test_a_ledger_whose_genesis_names_no_engine_is_not_ordered_by_one(network):
    with pytest.raises(HansaError) as raised:
        home.prepare(network[0], replica_of([]), 0)
    assert raised.value.code == "engine.keys"


@pytest.mark.parametrize(
    "change",
    [
        {"node": ""},
        {"home": ""},
        {"listen": "nowhere"},
        {"addresses": {"acme-2": "nowhere"}},
        {"peers": ["127.0.0.1:1"]},
        {"surprise": 1},
    ],
)
def test_settings_of_no_network_are_refused(network, change):
    good = msgspec.to_builtins(network[0])
    assert msgspec.convert(good, CometSettings) == network[0]
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**good, **change}, CometSettings)


def test_sockets_lie_in_the_home_unless_its_name_is_too_long(tmp_path):
    with tempfile.TemporaryDirectory() as short:
        inside = home.socket_folder(Path(short))
        (inside / "left by one that was killed").touch()
        again = home.socket_folder(Path(short))
        assert again == inside == Path(short) / "sockets"
        assert list(again.iterdir()) == []
        assert again.stat().st_mode & 0o077 == 0
    deep = tmp_path / ("deep" * 30)
    outside = home.socket_folder(deep)
    assert not deep.exists()
    assert len(str(outside)) < 95
    assert outside.stat().st_mode & 0o077 == 0
    outside.rmdir()
