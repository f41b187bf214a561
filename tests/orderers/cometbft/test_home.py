"""What an engine reads at its start: the same genesis everywhere, keys of its own, and never a vote twice."""

import json
import tomllib
from collections import Counter

import msgspec
import pytest
from tests.orderers.cometbft import networks
from tests.orderers.replicas import LEDGER

from hansa.orderers.cometbft import home
from hansa.orderers.cometbft.settings import CometSettings, split
from hansa.wire.problems import HansaError


@pytest.fixture
def network(tmp_path):
    return networks.settings(tmp_path, ["acme-1", "acme-2", "bolt-1"])


def read(settings, name):
    with open(f"{settings.home}/{name}", "rb") as file:
        return tomllib.load(file) if name.endswith(".toml") else json.load(file)


def test_all_engines_have_one_genesis_and_each_its_own_keys(network):
    for settings in network:
        home.prepare(settings, LEDGER, 0)
    first, *others = network
    genesis = read(first, "config/genesis.json")
    assert all(read(other, "config/genesis.json") == genesis for other in others)
    assert genesis["chain_id"] == f"hansa-{LEDGER.hex()[:40]}"
    assert len(genesis["chain_id"]) <= 50
    assert [each["name"] for each in genesis["validators"]] == ["acme-1", "acme-2", "bolt-1"]
    config = read(first, "config/config.toml")
    assert config["p2p"]["persistent_peers"].count("@127.0.0.1:") == 2
    assert first.own.peer not in config["p2p"]["persistent_peers"]
    assert config["p2p"]["pex"] is False
    assert config["filter_peers"] is True
    keys = {
        read(each, f"config/{name}")["priv_key"]["value"]
        for each in network
        for name in ("node_key.json", "priv_validator_key.json")
    }
    assert len(keys) == 6


def test_what_lies_in_the_folder_is_for_its_owner_alone(network):
    home.prepare(network[0], LEDGER, 0)
    for name in ("node_key.json", "priv_validator_key.json"):
        assert (networks.Path(network[0].home) / "config" / name).stat().st_mode & 0o077 == 0


def test_keys_stay_and_what_is_changed_by_hand_does_not(network):
    settings = network[0]
    home.prepare(settings, LEDGER, 0)
    before = read(settings, "config/config.toml")
    with open(f"{settings.home}/config/config.toml", "w") as file:
        file.write("[p2p]\npex = true\n")
    keys = home.make_keys(networks.Path(settings.home))
    home.prepare(settings, LEDGER, 0)
    assert (keys.peer, keys.key) == (settings.own.peer, settings.own.key)
    assert read(settings, "config/config.toml") == before


def test_a_node_does_not_start_with_the_keys_of_another(network):
    stolen = msgspec.structs.replace(network[0], home=network[1].home)
    with pytest.raises(HansaError) as raised:
        home.prepare(stolen, LEDGER, 0)
    assert raised.value.code == "engine.keys"


def test_a_key_file_that_is_none_is_told(network):
    with open(f"{network[0].home}/config/node_key.json", "w") as file:
        file.write('{"priv_key": {}}')
    with pytest.raises(HansaError) as raised:
        home.prepare(network[0], LEDGER, 0)
    assert raised.value.code == "engine.keys"
    assert "node_key.json" in raised.value.detail


def test_a_new_engine_votes_at_once_and_one_that_lost_its_memory_later(network):
    first, second, _ = network
    home.prepare(first, LEDGER, 0)
    assert read(first, "data/priv_validator_state.json") == {"height": "0", "round": 0, "step": 0}
    home.prepare(first, LEDGER, 500)
    assert read(first, "data/priv_validator_state.json")["height"] == "0"  # it remembers: nothing is put over that
    home.prepare(second, LEDGER, 500)
    lost = read(second, "data/priv_validator_state.json")
    assert int(lost["height"]) == 500 + home.UNSIGNED_HEIGHTS
    assert (lost["round"], lost["step"]) == (2**31 - 1, 3)


def test_an_engine_without_data_beside_a_ledger_is_marked_until_it_has_caught_up(network):
    settings = network[0]
    folder = networks.Path(settings.home)
    home.prepare(settings, LEDGER, 0)
    assert not home.is_renewed(folder)
    home.prepare(settings, LEDGER, 7)
    assert home.is_renewed(folder)
    (folder / "data" / "blockstore.db").mkdir()
    home.prepare(settings, LEDGER, 7)
    assert home.is_renewed(folder)
    home.unmark_renewed(folder)
    home.prepare(settings, LEDGER, 7)
    assert not home.is_renewed(folder)


def test_addresses_beyond_loopback_are_held_to_the_book(network):
    far = [msgspec.structs.replace(each, address="node.example:26656") for each in network[0].validators]
    assert tomllib.loads(home.configuration(network[0]))["p2p"]["addr_book_strict"] is False
    settings = msgspec.structs.replace(network[0], validators=far, wan=True, listen="0.0.0.0:26656")
    config = tomllib.loads(home.configuration(settings))
    assert config["p2p"]["addr_book_strict"] is True
    assert config["p2p"]["laddr"] == "tcp://0.0.0.0:26656"
    assert config["consensus"]["timeout_propose"] == "3s"


@pytest.mark.parametrize(
    "change",
    [
        {"node": "nobody"},
        {"validators": []},
        {"home": ""},
        {"validators": "twice"},
        {"validators": "powerless"},
        {"surprise": 1},
    ],
)
def test_settings_of_no_network_are_refused(network, change):
    good = msgspec.to_builtins(network[0])
    assert msgspec.convert(good, CometSettings) == network[0]
    if change.get("validators") == "twice":
        change = {"validators": [good["validators"][0], {**good["validators"][1], "key": good["validators"][0]["key"]}]}
    if change.get("validators") == "powerless":
        change = {"validators": [{**each, "power": 0} for each in good["validators"]]}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**good, **change}, CometSettings)


def test_power_belongs_to_members():
    nodes = {"acme": ["a1", "a2"], "bolt": ["b1", "b2", "b3"], "crow": ["c1"], "dove": []}
    powers = split({"acme": 1, "bolt": 1, "crow": 2, "dove": 9}, nodes)
    of = Counter()
    for member, names in nodes.items():
        for name in names:
            of[member] += powers[name]
    assert of["acme"] == of["bolt"]
    assert of["crow"] == 2 * of["acme"]
    assert powers["a1"] == powers["a2"]
    assert "dove" not in of
