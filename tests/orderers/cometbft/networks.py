"""Networks of CometBFT on loopback, for tests: free ports, folders, keys, and the settings that make them one."""

import hashlib
import os
import time
from functools import partial
from pathlib import Path

from tests.orderers.clusters import free_ports
from tests.orderers.replicas import Node

from hansa.orderers import Seat, engines
from hansa.orderers.cometbft.home import make_keys
from hansa.orderers.cometbft.orderer import CometBFT
from hansa.orderers.cometbft.settings import CometSettings

BEGUN = time.time_ns() // 1_000_000
"""Genesis' time of all these networks."""


def binary():
    """The program that is tested with: another than the one that `hansa engines build` made, where one is named."""
    named = os.environ.get("HANSA_TEST_COMETBFT")
    return engines.find("cometbft", Path(named) if named else None)


def network(folder, names, **more):
    """The settings of each node of a new network, and their seats, each with as much of a vote as any other."""
    seats, made = [], []
    for name, port in zip(names, free_ports(len(names)), strict=True):
        home, address = folder / name / "engine", f"127.0.0.1:{port}"
        keys = make_keys(home)
        seats.append(Seat(name, keys.peer, address, keys.key, 1))
        made.append(CometSettings(node=name, home=str(home), listen=address, **more))
    return made, seats


def node(settings, seats, program=None):
    """A node of a network whose genesis has these seats; it is not begun."""
    return Node(partial(CometBFT, settings, program or binary()), founders=seats, begun=BEGUN)


def nodes(folder, names="abcd", program=None, **more):
    """A node for each name; none is begun."""
    settings, seats = network(folder, names, **more)
    return [node(each, seats, program) for each in settings]


def validator(key):
    """What CometBFT calls who votes with a key."""
    return hashlib.sha256(key).hexdigest()[:40].upper()
