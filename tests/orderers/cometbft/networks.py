"""Networks of CometBFT on loopback, for tests: free ports, folders, keys, and the settings that make them one."""

import os
import socket
import time
from functools import partial
from pathlib import Path

from tests.orderers.replicas import Node

from hansa.orderers import engines
from hansa.orderers.cometbft.home import make_keys
from hansa.orderers.cometbft.orderer import CometBFT
from hansa.orderers.cometbft.settings import CometSettings, Validator


def binary():
    """The program that is tested with: another than the one that `hansa engines build` made, where one is named."""
    named = os.environ.get("HANSA_TEST_COMETBFT")
    return engines.find("cometbft", Path(named) if named else None)


def free_ports(count):
    """Ports that were free a moment ago."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def settings(folder, names, **more):
    """Of each node of a new network, each with as much of a vote as any other."""
    homes = {name: folder / name / "engine" for name in names}
    validators = []
    for (name, home), port in zip(homes.items(), free_ports(len(names)), strict=True):
        keys = make_keys(home)
        address = f"127.0.0.1:{port}"
        validators.append(Validator(name=name, address=address, peer=keys.peer, key=keys.key, power=1))
    now = time.time_ns() // 1_000_000
    return [
        CometSettings(node=name, home=str(home), time=now, validators=validators, **more)
        for name, home in homes.items()
    ]


def nodes(folder, names="abcd", program=None, **more):
    """A node for each name; none is begun."""
    return [Node(partial(CometBFT, each, program or binary())) for each in settings(folder, names, **more)]
