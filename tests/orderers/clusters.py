"""Clusters of etcd on loopback, for tests: free ports, folders, and the settings that make them one."""

import os
import socket
from functools import partial
from pathlib import Path

from tests.orderers.replicas import Node

from hansa.orderers import engines
from hansa.orderers.etcd.orderer import Etcd
from hansa.orderers.etcd.settings import EtcdMember, EtcdSettings


def binary() -> Path:
    """The program that is tested with: another than the one that `hansa engines build` made, where one is named."""
    named = os.environ.get("HANSA_TEST_ETCD")
    return engines.find("etcd", Path(named) if named else None)


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago."""
    with_ports = [socket.socket() for _ in range(count)]
    try:
        for each in with_ports:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in with_ports]
    finally:
        for each in with_ports:
            each.close()


def settings(folder: Path, names, token="test", scheme="http", each=lambda name: {}, **more) -> list[EtcdSettings]:
    """Of each node of a new cluster; `each` gives those that differ from node to node."""
    ports = iter(free_ports(2 * len(names)))
    members = tuple(
        EtcdMember(name, f"{scheme}://127.0.0.1:{next(ports)}", f"{scheme}://127.0.0.1:{next(ports)}") for name in names
    )
    more = {"plain": scheme == "http", "heartbeat": 50, "election": 500, **more}
    return [
        EtcdSettings(name=name, members=members, token=token, home=str(folder / name), **more, **each(name))
        for name in names
    ]


def nodes(folder: Path, names="abc", clocks=None, **more) -> list[Node]:
    """A node for each member; none is begun."""
    clocks = clocks or {}
    return [
        Node(partial(Etcd, each, binary()), clock=clocks.get(each.name)) for each in settings(folder, names, **more)
    ]
