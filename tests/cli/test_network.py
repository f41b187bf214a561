"""`hansa network`: made as asked or not at all, started and stopped whole, each member with what is its own."""

import json
import os
import signal
import socket
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hansa.cli import network_status, processes
from hansa.node import network as networks
from hansa.node import ordering, peers
from hansa.node import regions as placing
from hansa.store.files import Disk
from hansa.wire import genesis

YES = "--yes"
WAIT_S = 20


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory, hansa: Callable) -> Iterator[Path]:
    """A network of one node and two members, started."""
    root = tmp_path_factory.mktemp("network") / "net"
    made = hansa("network", "new", root, "--topology", "dev", "--members", 2, YES)
    assert (made.code, made.err) == (0, "")
    started = hansa("network", "up", root, "--reserve-mb", 0)
    try:
        assert started.code == 0, started
        assert "northbank-1 is ready at http://127.0.0.1:" in started.err
        yield root
    finally:
        assert hansa("network", "destroy", root, YES).code == 0
        assert not root.exists()


def of(root: Path) -> networks.Network:
    return networks.load(Disk(), root)


def test_members_have_folders_keys_and_ports_of_their_own(tmp_path: Path) -> None:
    founders = [networks.Founder("acme", "Acme", users=["ann"]), networks.Founder("bolt", "Bolt")]
    root = tmp_path / "net"
    network = networks.create(Disk(), root, "Test", "multi-member", founders, 2, constitution="majority", lock_ms=1000)
    keys = sorted(str(path.relative_to(root)) for path in root.rglob("*.pem"))
    assert keys == [
        *(f"acme/acme-{n}/keys/{key}.pem" for n in (1, 2) for key in ("checkpoint", "node")),
        "acme/keys/governance/acme.pem",
        "acme/keys/members/acme.pem",
        "acme/keys/users/acme/ann.pem",
        *(f"bolt/bolt-{n}/keys/{key}.pem" for n in (1, 2) for key in ("checkpoint", "node")),
        "bolt/keys/governance/bolt.pem",
        "bolt/keys/members/bolt.pem",
    ]
    assert len({(root / key).read_bytes() for key in keys}) == len(keys)
    assert all(stat.S_IMODE((root / key).stat().st_mode) == 0o600 for key in keys)
    folders = [path for path in root.glob("*/*") if path.is_dir()] + [*root.glob("*/"), root]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}
    documents = {path.read_bytes() for path in root.glob("*/*/genesis.cbor")}
    assert len(documents) == 1
    (document,) = documents
    assert genesis.ledger_id(document).hex() == network.ledger
    named = genesis.decode(document).nodes
    assert [(node.id, node.member) for node in named] == [
        ("acme-1", "acme"),
        ("acme-2", "acme"),
        ("bolt-1", "bolt"),
        ("bolt-2", "bolt"),
    ]
    ports = [port for _, node in network.nodes() for port in (node.port, *node.engine_ports.values())]
    assert len(set(ports)) == len(ports)
    assert networks.load(Disk(), root) == network


def test_nodes_of_a_network_with_tls_know_each_other_by_https_alone(tmp_path: Path) -> None:
    founders, root = [networks.Founder("acme", "Acme")], tmp_path / "net"
    network = networks.create(
        Disk(), root, "Test", "single-member", founders, 3, constitution="single", lock_ms=1000, secured=True
    )
    places = [node for _, node in network.nodes()]
    assert len({port for node in places for port in (node.port, node.tls)}) == 6
    urls = [f"https://127.0.0.1:{node.tls}" for node in places]
    named = genesis.decode((root / "acme" / "acme-1" / "genesis.cbor").read_bytes()).nodes
    assert [node.url for node in named] == urls
    for node, url in zip(places, urls, strict=True):
        folder = networks.node_folder(root, "acme", node.id)
        assert set(peers.load(Disk(), folder)) == {*urls} - {url}
        found = ordering.load(Disk(), folder)
        assert found is not None
        assert found.listen == f"127.0.0.1:{node.tls}"
    assert networks.load(Disk(), root) == network


def test_ports_that_something_listens_on_are_passed_over() -> None:
    seed = bytes(4)
    (port,) = networks.free_ports(1, seed)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the search does: others were there just now
        other.bind(("127.0.0.1", port))
        other.listen()
        assert not networks.is_free(port)
        first, second = networks.free_ports(2, seed)
    assert port < first < second
    assert networks.free_ports(2, b"\xff\xff\xff\xff") != networks.free_ports(2, seed)


def test_every_problem_at_once_and_nothing_made(hansa: Callable, tmp_path: Path) -> None:
    wrong = ("--members", 2, "--nodes", 4, "--lock", "5x", "--constitution", "none", "--name", "")
    ran = hansa("network", "new", tmp_path / "net", "--topology", "single-member", *wrong, YES, "--json")
    assert ran.code == 2
    assert ran.json["error"]["problems"] == [
        "single-member has one member, not 2: whoever runs etcd is trusted with the order",
        "single-member has 3 or 5 nodes, not 4: other numbers tolerate no more failures",
        "the name of a ledger has 1 to 80 characters, not 0",
        "there is no constitution 'none' here",
        "'5x' is no length of time from 1 second to 30 days",
    ]
    told = hansa("network", "new", tmp_path / "net", "--topology", "dev", "--nodes", 3, "--lock", "0s", YES)
    assert told.err.count("  - ") == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("topology", "members", "nodes", "words"),
    [
        ("dev", 1, 1, "tolerates no failure"),
        ("dev", 4, 1, "tolerates no failure"),
        ("single-member", 1, 3, "tolerates that 1 of 3 nodes fails"),
        ("single-member", 1, 5, "tolerates that 2 of 5 nodes fail"),
        ("multi-member", 3, 4, "tolerates no failure"),
        ("multi-member", 4, 1, "tolerates that 1 of 4 members fails or lies"),
        ("multi-member", 7, 1, "tolerates that 2 of 7 members fail or lie"),
    ],
)
def test_what_may_fail_is_told(topology: networks.Topology, members: int, nodes: int, words: str) -> None:
    assert networks.shape_problems(topology, members, nodes) == []
    assert networks.tolerance(topology, members, nodes) == words


@pytest.mark.parametrize(
    ("topology", "members", "nodes"),
    [("multi-member", 1, 1), ("multi-member", 4, 5), ("single-member", 1, 2), ("single-member", 2, 3), ("dev", 1, 2)],
)
def test_there_is_no_such_network(topology: networks.Topology, members: int, nodes: int) -> None:
    assert len(networks.shape_problems(topology, members, nodes)) == 1


@pytest.mark.parametrize(
    ("topology", "members", "nodes", "regions", "words"),
    [
        ("single-member", 1, 3, 1, ""),
        (
            "single-member", 1, 3, 2,
            "1: m0-1, m0-3; 2: m0-2; region 1 orders alone, and without region 1 nothing is ordered",
        ),
        (
            "single-member", 1, 5, 3,
            "1: m0-1, m0-4; 2: m0-2, m0-5; 3: m0-3; "
            "no region orders alone, and the rest goes on without any one of them",
        ),
        (
            "multi-member", 4, 1, 2,
            "1: m0-1, m2-1; 2: m1-1, m3-1; no region orders alone, and without any one of them nothing is ordered",
        ),
        (
            "multi-member", 2, 2, 3,
            "1: m0-1, m1-2; 2: m0-2; 3: m1-1; no region orders alone, and without region 1 nothing is ordered",
        ),
    ],
)  # fmt: skip
def test_nodes_are_spread_over_regions(
    tmp_path: Path, topology: networks.Topology, members: int, nodes: int, regions: int, words: str
) -> None:
    founders = [networks.Founder(f"m{number}", "M") for number in range(members)]
    rules = "majority" if members > 1 else "single"
    root = tmp_path / "net"
    made = networks.create(
        Disk(), root, "Far", topology, founders, nodes, constitution=rules, lock_ms=1_000, regions=regions
    )
    assert made.placement() == words
    assert networks.load(Disk(), root) == made
    for member, node in made.nodes():
        found = ordering.load(Disk(), networks.node_folder(root, member.id, node.id))
        assert found is not None
        if found.etcd is not None:
            assert (found.etcd.heartbeat, found.etcd.election) == ((300, 3_000) if regions > 1 else (100, 1_000))
        if found.cometbft is not None:
            assert found.cometbft.wan == (regions > 1)


@pytest.mark.parametrize("nodes", [3, 5, 7])
@pytest.mark.parametrize("regions", range(1, 8))
def test_no_region_orders_alone_where_it_can_be_avoided(nodes: int, regions: int) -> None:
    """Half of an odd number cannot be had by two: from three regions on none has it."""
    where = {str(number): placing.of_node(number, regions) for number in range(nodes)}
    told = placing.said(where, lambda count: 2 * count > nodes)
    assert ("no region orders alone" in told) == (min(regions, nodes) >= 3)
    assert set(where.values()) == set(range(1, min(regions, nodes) + 1))


def test_more_regions_than_nodes_are_refused() -> None:
    assert networks.shape_problems("multi-member", 4, 1, 4) == []
    assert len(networks.shape_problems("multi-member", 4, 1, 5)) == 1
    assert len(networks.shape_problems("dev", 4, 1, 2)) == 1


def test_it_is_asked_for(hansa: Callable, hansa_process: Callable, tmp_path: Path) -> None:
    """With --json nobody can be; where nobody answers, the answer is no."""
    hansa("network", "new", tmp_path / "net", "--topology", "dev", "--json").failed("argument.value", 2)
    asked = hansa_process("network", "new", tmp_path / "net", "--topology", "multi-member", "--members", 3)
    assert asked.code != 0
    assert "failures  tolerates no failure" in asked.out
    assert "Make it? [Y/n]" in asked.err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_in_it_is_left_alone(hansa: Callable, dev: Path, tmp_path: Path) -> None:
    hansa("network", "new", dev, "--topology", "dev", YES).failed("network.taken")
    (tmp_path / "file").write_text("")
    hansa("network", "new", tmp_path, "--topology", "dev", YES).failed("folder.foreign")
    for words in (("up",), ("status",), ("logs",), ("stop",), ("destroy", YES)):
        hansa("network", words[0], tmp_path, *words[1:]).failed("network.none")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_map_that_is_changed_leads_nowhere(hansa: Callable, tmp_path: Path) -> None:
    """`destroy` removes folders by what it says."""
    (tmp_path / "victim").mkdir()
    for members in ([], [{"id": "../victim", "name": "", "nodes": []}], [{"id": "a", "name": "", "nodes": [], "x": 1}]):
        fields = {"version": 0, "name": "x", "topology": "dev", "orderer": "solo", "ledger": "00", "members": members}
        (tmp_path / "net").mkdir(exist_ok=True)
        (tmp_path / "net" / "network.json").write_text(json.dumps(fields))
        hansa("network", "destroy", tmp_path / "net", YES).failed("network.form")
    assert (tmp_path / "victim").is_dir()


def test_status_shows_every_node(hansa: Callable, dev: Path) -> None:
    found = hansa("network", "status", dev, "--json")
    assert found.code == 0
    (node,) = found.json["nodes"]
    assert (found.json["state"], found.json["tolerance"]) == ("healthy", "tolerates no failure")
    assert (node["id"], node["member"], node["state"]) == ("northbank-1", "northbank", "ready")
    assert node["size"] == node["entries"] >= 1
    assert len(node["root"]) == 64
    text = hansa("network", "status", dev).out
    assert text.startswith("Healthy: 1 node is ready")
    assert node["root"][:16] in text


def test_members_use_their_own_keys(hansa: Callable, dev: Path) -> None:
    """By the folder of the member, whose node answers, or by that of a node; one without a node asks the others'."""
    for data in (dev / "northbank", dev / "northbank" / "northbank-1"):
        assert hansa("status", "--data", data).code == 0
        change = ("--action", "set_member_data", "member_id=northbank", f"name={data.name}")
        proposed = hansa("proposal", "new", *change, "--as", "northbank", "--data", data, "--json")
        assert proposed.code == 0, proposed
    voted = hansa("proposal", "vote", proposed.json["id"], YES, "--as", "harbourline", "--data", dev / "harbourline")
    assert voted.code == 0, voted
    detail = hansa("proposal", "vote", "--as", "northbank", "--data", dev / "harbourline", YES).failed(
        "argument.value", 2
    )
    assert detail.startswith("there is no key of 'northbank'")
    hansa("status", "--data", dev).failed("folder.none")


def test_a_network_is_no_ledger(hansa: Callable, dev: Path) -> None:
    detail = hansa("up", "--data", dev).failed("argument.value", 2)
    assert detail == f"{dev} holds a network"
    hansa("up", "--data", dev / "harbourline").failed("argument.value", 2)
    hansa("up", "--data", dev / "northbank").failed("folder.locked")


def test_what_runs_is_left_alone(hansa: Callable, dev: Path) -> None:
    again = hansa("network", "up", dev, "--json")
    assert (again.code, again.json["started"]) == (0, [])
    assert [node["id"] for node in again.json["network"]["nodes"]] == ["northbank-1"]
    detail = hansa("network", "up", dev, "northbank-2").failed("argument.value", 2)
    assert detail == f"there is no node 'northbank-2' in {dev}"


def test_logs_show_what_nodes_wrote(hansa: Callable, dev: Path) -> None:
    (log,) = hansa("network", "logs", dev, "--json", "-n", 1000).json["logs"]
    assert log["file"] == str(dev / "northbank" / "northbank-1" / "node.log")
    assert any(json.loads(line).get("event") == "node.started" for line in log["lines"])
    assert log["engine"] == []
    assert len(hansa("network", "logs", dev, "northbank-1", "-n", 1).out.splitlines()) == 2


def test_stopped_killed_and_started_again(hansa: Callable, dev: Path) -> None:
    """Whatever became of the process: what runs, the lock says. A port that is taken meanwhile is told."""
    (_, node) = next(of(dev).nodes())
    folder = networks.node_folder(dev, "northbank", node.id)
    before = hansa("network", "status", dev, "--json").json["nodes"][0]
    assert hansa("network", "stop", dev, "--json").json["stopped"] == ["northbank-1"]
    assert hansa("network", "stop", dev, "--json").json["stopped"] == []
    stopped = hansa("network", "status", dev, "--json")
    assert (stopped.code, stopped.json["state"], stopped.json["nodes"][0]["state"]) == (3, "stopped", "stopped")
    with socket.socket() as other:
        other.bind(("127.0.0.1", node.port))
        other.listen()
        taken = hansa("network", "up", dev).failed("network.ports")
        assert taken == f"taken: port {node.port} of northbank-1 (its API)"
    started = hansa("network", "up", dev, "--reserve-mb", 0, "--json")
    assert started.json["started"] == ["northbank-1"]
    process = processes.find(folder)
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    assert processes.wait_for_end([folder], 10) == []
    assert hansa("network", "status", dev).out.startswith("No node runs:")
    assert hansa("network", "up", dev, "--reserve-mb", 0).code == 0
    after = hansa("network", "status", dev, "--json").json["nodes"][0]
    assert (after["size"], after["root"], after["url"]) == (before["size"], before["root"], before["url"])


def test_a_node_that_does_not_come_up_says_why(hansa: Callable, dev: Path) -> None:
    key = dev / "northbank" / "northbank-1" / "keys" / "node.pem"
    hansa("network", "stop", dev)
    key.chmod(0o644)
    try:
        detail = hansa("network", "up", dev, "--reserve-mb", 0, "--quiet").failed("network.start")
    finally:
        key.chmod(0o600)
    assert detail.startswith(f"northbank-1: others can read {key}: its mode is 644 [key.exposed]; its log is ")
    assert hansa("network", "up", dev, "--reserve-mb", 0).code == 0


def test_without_its_engine_nothing_is_started(
    hansa: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "net"
    monkeypatch.setenv("HANSA_ENGINES", str(tmp_path / "none"))
    assert hansa("network", "new", root, "--topology", "multi-member", "--members", 3, YES).code == 0
    hansa("network", "up", root).failed("engine.missing")
    hansa("network", "up", root, "--engine-binary", tmp_path / "none").failed("engine.binary")
    hansa("up", "--data", root / "northbank", "--port", 0).failed("engine.missing")
    assert hansa("network", "status", root, "--json").json["state"] == "stopped"
    assert list(root.rglob("node.log")) == []


def test_destroy_leaves_what_it_did_not_make(hansa: Callable, tmp_path: Path) -> None:
    root = tmp_path / "net"
    assert hansa("network", "new", root, "--topology", "multi-member", "--members", 2, YES).code == 0
    hansa("network", "destroy", root, "--json").failed("argument.value", 2)
    (root / "northbank" / "notes.txt").write_text("mine")
    removed = hansa("network", "destroy", root, YES, "--json")
    assert removed.json["left"] == [str(root / "northbank" / "notes.txt")]
    assert [path.name for path in root.rglob("*")] == ["northbank", "notes.txt"]


def state(id: str, state: str, **fields: Any) -> network_status.NodeState:
    return network_status.NodeState(id, "m", "", "", state, **fields)


@pytest.mark.parametrize(
    ("topology", "ready", "nodes", "expected"),
    [
        ("multi-member", 4, 4, "healthy"),
        ("multi-member", 3, 4, "degraded"),
        ("multi-member", 2, 4, "halted"),
        ("multi-member", 2, 3, "halted"),
        ("single-member", 2, 3, "degraded"),
        ("single-member", 1, 3, "halted"),
        ("single-member", 3, 5, "degraded"),
        ("single-member", 2, 5, "halted"),
    ],
)
def test_how_the_whole_is(topology: networks.Topology, ready: int, nodes: int, expected: str) -> None:
    places = [networks.NodePlace(f"n-{i}", 1) for i in range(nodes)]
    network = networks.Network(
        0, "Test", topology, networks.ORDERERS[topology], "", [networks.MemberPlace("m", "M", places)]
    )
    found = [state(place.id, "ready" if i < ready else "stopped") for i, place in enumerate(places)]
    told, sentence = network_status.whole(Path("net"), network, found, "")
    assert told == expected
    assert sentence.startswith(expected.capitalize())
    assert all(place.id in sentence for place in places[ready:])
    assert network_status.whole(Path("net"), network, found, "n-0 and n-1 differ")[0] == "diverged"


def test_power_counts_where_the_ledger_tells_it() -> None:
    """A node that is pending or retired is missed by nobody; one elsewhere counts as any other."""
    places = [networks.NodePlace("n-0", 1), networks.NodePlace("n-1", 2)]
    network = networks.Network(
        0, "Test", "multi-member", "cometbft", "", [networks.MemberPlace("m", "M", places)], joined=True
    )

    def told(*found: network_status.NodeState) -> str:
        return network_status.whole(Path("net"), network, list(found), "")[0]

    strong = state("n-0", "ready", standing="Trusted", power=840)
    others = [state(f"o-{n}", "silent", standing="Trusted", power=200) for n in range(2)]
    assert told(strong, *others[:1]) == "degraded"
    assert told(strong, *others) == "degraded"
    assert told(strong, *others, state("o-3", "silent", standing="Trusted", power=20)) == "halted"
    idle = [state("n-1", "stopped", standing="Retired"), state("o-4", "silent", standing="Pending")]
    assert told(strong, *idle) == "healthy"
    assert told(state("n-0", "ready", standing="Pending"), idle[0]) == "healthy"
    assert told(idle[0]) == "stopped"
    assert "was retired" in network_status.whole(Path("net"), network, idle[:1], "")[1]


@pytest.mark.parametrize(
    ("powers", "words"),
    [
        ([], "tolerates no failure"),
        ([840] * 3, "tolerates no failure"),
        ([840] * 4, "tolerates that 1 of 4 members fails or lies"),
        ([840] * 7, "tolerates that 2 of 7 members fail or lie"),
        ([840] * 4 + [0], "tolerates that 1 of 4 members fails or lies"),
        ([1680, 840, 840, 840], "tolerates no failure"),
        ([1680, 1680, 1680, 840, 840], "tolerates that 1 of 5 members fails or lies"),
    ],
)
def test_what_may_fail_by_power(powers: list[int], words: str) -> None:
    """Whichever members fail, the mightiest too."""
    assert networks.tolerance_by(powers) == words


def test_the_map_follows_nodes_that_come_and_go(tmp_path: Path) -> None:
    member = networks.MemberPlace("m", "M", [networks.NodePlace("m-1", 1)])
    other = networks.MemberPlace("o", "O", [networks.NodePlace("o-1", 3)])
    network = networks.Network(0, "Test", "multi-member", "cometbft", "", [member, other])
    more = network.with_node("m", networks.NodePlace("m-2", 2))
    assert [(of.id, node.id) for of, node in more.nodes()] == [("m", "m-1"), ("m", "m-2"), ("o", "o-1")]
    less = more.with_node("m", networks.NodePlace("m-1", 1, retired=True))
    assert [node.id for _, node in less.nodes() if not node.retired] == ["m-2", "o-1"]
    networks.save(Disk(), tmp_path, less)
    assert networks.load(Disk(), tmp_path) == less


def test_a_cluster_of_one_organisation(hansa: Callable, engines: dict[str, Path], tmp_path: Path) -> None:
    """Three nodes over etcd. That of many members over CometBFT is the page docs/how-to/networks.md."""
    root = tmp_path / "net"
    member = root / "northbank"
    new = hansa("network", "new", root, "--topology", "single-member", YES, "--json")
    assert new.json["tolerance"] == "tolerates that 1 of 3 nodes fails"
    assert new.json["placement"] == ""
    try:
        up = ("network", "up", root, "--reserve-mb", 0, "--engine-binary", engines["etcd"])
        assert hansa(*up).code == 0
        for node in ("northbank-1", "northbank-2", "northbank-3"):
            rename(hansa, member / node, f"By {node}")
        check(hansa, root, "healthy", {"northbank-1": 4, "northbank-2": 4, "northbank-3": 4})
        assert hansa("network", "stop", root, "northbank-1").code == 0
        rename(hansa, member, "Without one")
        check(hansa, root, "degraded", {"northbank-2": 5, "northbank-3": 5})
        assert hansa(*up, "northbank-1").code == 0
        (log,) = hansa("network", "logs", root, "northbank-1", "--json").json["logs"]
        assert [Path(path).is_file() for path in log["engine"]] == [True]
        check(hansa, root, "healthy", {"northbank-1": 5, "northbank-2": 5, "northbank-3": 5})
        assert hansa("network", "stop", root).code == 0
        (member / "northbank-1" / "orderer.json").rename(root / "aside")
        hansa("up", "--data", member / "northbank-1", "--port", 0).failed("network.alone")
    finally:
        assert hansa("network", "destroy", root, YES).code == 0


def rename(hansa: Callable, data: Path, name: str) -> None:
    """Commits an entry by the node of a folder; its member decides alone."""
    change = ("--action", "set_member_data", "member_id=northbank", f"name={name}")
    assert hansa("proposal", "new", *change, "--as", "northbank", "--data", data).code == 0


def check(hansa: Callable, root: Path, expected: str, entries: dict[str, int]) -> None:
    """The state of the whole, and that nodes have so many entries with equal roots."""
    end = time.monotonic() + WAIT_S
    while True:
        found = hansa("network", "status", root, "--json").json
        ready = [node for node in found["nodes"] if node["state"] == "ready"]
        if (found["state"], {node["id"]: node["size"] for node in ready}) == (expected, entries):
            break
        assert time.monotonic() < end, found
        time.sleep(0.1)
    assert len({node["root"] for node in ready}) == 1
