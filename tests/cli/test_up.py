"""`hansa up`: a node that lasts, says where it is, stops when it is told to, and never runs twice over one ledger."""

import contextlib
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from hansa.cli.new_ledger import equal_members, sample_members
from hansa.client import Client, Refused, keys, transactions
from hansa.node import shipped
from hansa.node.create import create_ledger
from hansa.store.files import Disk
from hansa.store.folder import Folder
from hansa.wire import genesis

STOP_S = 5


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[subprocess.Popen[str], list[str], Path]]:
    """A first start, told to people, and what it said until it waits."""
    data = tmp_path_factory.mktemp("up") / "data"
    command = [sys.executable, "-m", "hansa.cli.main", "up", "--data", str(data), "--port", "0", "--reserve-mb", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines: list[str] = []
        while not lines or not lines[-1].startswith("Stop it"):
            lines.append(process.stdout.readline().rstrip("\n"))
            assert process.poll() is None
        yield process, lines, data
        process.kill()


def url_in(lines: list[str]) -> str:
    return lines[0].removeprefix("Hansa is up at ")


def test_it_says_where_it_is_and_what_to_try(first: tuple[Any, list[str], Path]) -> None:
    _, lines, data = first
    url = url_in(lines)
    status = httpx2.get(f"{url}/node/status").json()
    assert url.startswith("http://127.0.0.1:")
    assert lines[1:4] == [
        f"  ledger   {status['ledger']}",
        f"  data     {data}",
        f"  members  northbank, harbourline, eastmutual, tradewatch  (keys in {data}/keys)",
    ]
    assert lines[4] == "  users    northbank/ana, northbank/ben, harbourline/carla, eastmutual/dev, tradewatch/eve"
    assert f"  hansa status --data {data}" in lines
    assert f"  hansa call CONTRACT ACTION name=value --as northbank/ana --data {data}" in lines
    assert (status["name"], status["state"], status["entries"]) == ("Sample ledger", "running", 1)
    assert json.loads((data / "node.json").read_text())["url"] == url


def test_sample_members_can_try_what_the_cookbook_asks_for() -> None:
    founders = sample_members()
    given = {attribute for founder in founders for attribute in founder.attributes}
    persons = [user for founder in founders for user, has in founder.user_attributes.items() if "may:pay" in has]
    asked = {
        (kind, attribute)
        for path in (Path(__file__).parents[2] / "apps").rglob("*.py")
        if "letter_of_credit" not in path.parts
        for kind, attribute in re.findall(r'Party\((attribute|user)="([^"]+)"\)', path.read_text())
    }
    assert len(asked) > 3
    assert {attribute for kind, attribute in asked if kind == "attribute"} <= given
    assert {attribute for kind, attribute in asked if kind == "user"} == {"may:pay"}
    assert persons == ["ana", "ben"]


def test_a_name_that_no_ledger_can_have(hansa: Callable, tmp_path: Path) -> None:
    for name in ("", "x" * 81):
        detail = hansa("up", "--data", tmp_path / "data", "--name", name).failed("argument.value", 2)
        assert detail == f"the name of a ledger has 1 to 80 characters, not {len(name)}"
    assert list(tmp_path.iterdir()) == []


def test_sample_members_have_key_files_of_their_own(first: tuple[Any, list[str], Path]) -> None:
    _, _, data = first
    found = {str(path.relative_to(data / "keys")) for path in (data / "keys").rglob("*.pem")}
    assert found == {
        "node.pem",
        "checkpoint.pem",
        *(f"governance/{name}.pem" for name in ("northbank", "harbourline", "eastmutual", "tradewatch")),
        *(f"members/{name}.pem" for name in ("northbank", "harbourline", "eastmutual", "tradewatch")),
        *(f"users/{name}.pem" for name in ("northbank/ana", "northbank/ben", "harbourline/carla")),
        *(f"users/{name}.pem" for name in ("eastmutual/dev", "tradewatch/eve")),
    }
    for name in found:
        assert stat.S_IMODE((data / "keys" / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(data.stat().st_mode) == 0o700


def test_a_second_one_on_the_folder_refuses(hansa_process: Callable, first: tuple[Any, list[str], Path]) -> None:
    """Whether on its own port, on the first one's, or under another path to the folder."""
    process, lines, data = first
    port = url_in(lines).rpartition(":")[2]
    for words in (("--port", "0"), ("--port", port), ("--port", "0", "--json")):
        detail = hansa_process("up", "--data", data, *words).failed("folder.locked")
        assert f"process {process.pid}" in detail
    link = data.parent / "link"
    link.symlink_to(data)
    assert hansa_process("up", "--data", link, "--port", "0").failed("folder.locked")
    assert httpx2.get(f"{url_in(lines)}/node/status").json()["state"] == "running"


def test_a_copy_of_the_folder_refuses_beside_it(
    hansa_process: Callable, first: tuple[Any, list[str], Path], tmp_path: Path
) -> None:
    """Two that sign with one key would be two histories."""
    _, _, data = first
    subprocess.run(["cp", "-r", data, tmp_path / "copy"], check=True)
    assert hansa_process("up", "--data", tmp_path / "copy", "--port", "0").failed("folder.locked")


def test_a_port_in_use(hansa: Callable, first: tuple[Any, list[str], Path], tmp_path: Path) -> None:
    """Nothing is made then."""
    _, lines, _ = first
    port = url_in(lines).rpartition(":")[2]
    detail = hansa("up", "--data", tmp_path / "data", "--port", port).failed("node.port")
    assert detail == f"127.0.0.1:{port} cannot be listened on: Address already in use"
    assert hansa("up", "--data", tmp_path / "data", "--port", port, "--json").failed("node.port") == detail
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", ""])
def test_off_loopback_it_refuses(host: str, hansa: Callable, tmp_path: Path) -> None:
    """The sample members' keys lie beside the ledger."""
    assert hansa("up", "--data", tmp_path / "data", "--host", host).failed("node.not_loopback")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_things_in_it(hansa: Callable, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    assert hansa("up", "--data", tmp_path, "--port", "0").failed("folder.foreign")
    assert hansa("up", "--data", tmp_path / "precious", "--port", "0").failed("folder.foreign")
    assert hansa("up", "--data", tmp_path / "precious" / "deeper", "--port", "0").failed("folder.access")
    (tmp_path / "format").write_text("hansa ledger folder, format 9\n")
    assert hansa("up", "--data", tmp_path, "--port", "0").failed("folder.format")
    assert (tmp_path / "precious").read_text() == "x"


@pytest.mark.parametrize("words", [("--port", "65536"), ("--port", "-1"), ("--port", "x"), ("--reserve-mb", "-1")])
def test_wrong_usage(words: tuple[str, ...], hansa: Callable) -> None:
    assert hansa("up", *words).code == 2


@pytest.mark.parametrize("delay_ms", [0, 3, 8, 15, 30, 60])
def test_a_first_start_that_was_killed_is_in_nobodys_way(delay_ms: int, start: Callable, tmp_path: Path) -> None:
    data = tmp_path / "data"
    command = [sys.executable, "-m", "hansa.cli.main", "up", "--data", str(data), "--port", "0", "--reserve-mb", "0"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not list(tmp_path.iterdir()):
            time.sleep(0.0005)
        time.sleep(delay_ms / 1000)
        process.kill()
    running = start(data)
    assert running.started["entries"] == 1
    assert running.stop() == 0
    assert list(tmp_path.iterdir()) == [data]


@pytest.mark.parametrize("kind", ["folder", "link to nowhere", "link elsewhere"])
def test_a_word_of_where_it_runs_that_cannot_be_written(kind: str, start: Callable, tmp_path: Path) -> None:
    """The node runs, and says what to do without."""
    data = tmp_path / "data"
    start(data).stop()
    word, victim = data / "node.json", tmp_path / "victim"
    victim.write_text("precious")
    word.mkdir() if kind == "folder" else word.symlink_to(victim if "elsewhere" in kind else tmp_path / "nowhere")
    running = start(data)
    try:
        assert httpx2.get(f"{running.url}/node/status").json()["state"] == "running"
        assert word.is_dir() or json.loads(word.read_text())["url"] == running.url
        assert (victim.read_text(), (tmp_path / "nowhere").exists()) == ("precious", False)
        running.process.send_signal(signal.SIGTERM)
        _, told = running.process.communicate(timeout=STOP_S)
        assert ("node.json cannot be written" in told) == (kind == "folder")
        assert "Traceback" not in told
        assert running.process.returncode == 0
    finally:
        running.stop()


# The first one ends here


@contextlib.contextmanager
def connections(url: str) -> Iterator[None]:
    """Clients in every state that one can be in: idle, in a header, in a body, kept alive, and one that never reads."""
    host, _, port = url.removeprefix("http://").partition(":")
    with contextlib.ExitStack() as held:
        for sent in (
            b"",
            b"GET /node/sta",
            b"POST /app/transactions HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc",
            b"GET /node/status HTTP/1.1\r\nHost: %b:%b\r\n\r\n" % (host.encode(), port.encode()),
            b"GET /openapi.json HTTP/1.1\r\nHost: %b:%b\r\n\r\n" % (host.encode(), port.encode()) * 500,
        ):
            client = held.enter_context(socket.create_connection((host, int(port))))
            client.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                client.send(sent)
        yield


def test_sigterm_stops_it_with_clients_connected(first: tuple[Any, list[str], Path]) -> None:
    process, lines, data = first
    with connections(url_in(lines)):
        time.sleep(0.2)
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_S) == 0
        assert time.monotonic() - begun < STOP_S
    assert "Traceback" not in process.stderr.read()
    assert not (data / "node.json").exists()


def test_started_again_it_goes_on(first: tuple[Any, list[str], Path], start: Callable, hansa: Callable) -> None:
    """The same ledger and keys; and stopped by Ctrl-C this time."""
    _, lines, data = first
    running = start(data)
    try:
        assert running.started["new"] is False
        assert running.started["entries"] == 1
        assert lines[1] == f"  ledger   {running.ledger}"
        action = ("call", "members", "add_reference", "name=a", "valid_from=1", "data=x", "--as", "northbank")
        assert hansa(*action, "--data", data, "--json").json["seq"] == 1
    finally:
        assert running.stop(signal.SIGINT) == 0
    running = start(data)
    assert running.started["entries"] == 2
    assert running.stop() == 0


def test_after_a_kill_it_starts_by_itself(first: tuple[Any, list[str], Path], start: Callable, hansa: Callable) -> None:
    """What the killed one left behind, its lock and its word of where it runs, is in nobody's way."""
    _, _, data = first
    killed = start(data)
    killed.stop(signal.SIGKILL)
    assert (data / "node.json").exists()
    assert hansa("status", "--data", data).failed("node.unreachable", 3)
    running = start(data)
    try:
        assert hansa("status", "--data", data, "--json").json["entries"] == 2
    finally:
        assert running.stop() == 0


def test_a_name_and_a_loopback_address_of_ones_own(start: Callable, tmp_path: Path) -> None:
    if not socket.has_ipv6 or not os.path.exists("/proc/net/if_inet6"):
        pytest.skip("there is no IPv6 here")
    running = start(tmp_path / "data", "--name", "Our ledger", "--host", "::1", "--reserve-mb", "0")
    try:
        assert running.url.startswith("http://[::1]:")
        assert httpx2.get(f"{running.url}/node/status").json()["name"] == "Our ledger"
        assert running.before == []
    finally:
        assert running.stop() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="children are looked up in /proc")
def test_when_the_isolated_contracts_die_it_stops_and_says_what_to_do(start: Any, tmp_path: Path) -> None:
    server = start(tmp_path / "data", "--isolate", "--reserve-mb", "0")
    try:
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
        (worker,) = [pid for pid in children if b"hansa.node.isolated" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        key = keys.load(server.data / "keys" / "members" / "northbank.pem")

        def prepared() -> transactions.Prepared:
            return transactions.prepare(key, bytes.fromhex(server.ledger), "nowhere", "nothing", {})

        with Client(server.url) as node:
            with pytest.raises(Refused) as caught:
                node.submit(prepared().envelope)
            assert caught.value.code == "contract.unknown"
            os.kill(int(worker), signal.SIGKILL)
            hostile = prepared()
        kind = {"content-type": "application/cose"}
        refused = httpx2.post(f"{server.url}/app/transactions", content=hostile.envelope, headers=kind, timeout=30)
        assert refused.json()["code"] == "node.faulted"
        said, told = server.process.communicate(timeout=STOP_S)
        assert server.process.returncode == 1
        assert "contract.fatal" in told
        assert f"hansa tx exclude {hostile.id.hex()}" in said
    finally:
        server.process.kill()
        server.process.communicate()


# Ledgers of equal members


def test_a_ledger_of_equal_members_begins_without_deployers(start: Callable, hansa: Callable, tmp_path: Path) -> None:
    data = tmp_path / "data"
    running = start(data, "--members", "3", "--constitution", "two_thirds", "--lock", "90s", "--reserve-mb", "0")
    try:
        names = ["northbank", "harbourline", "eastmutual"]
        assert (running.started["members"], running.started["constitution_lock_ms"]) == (names, 90_000)
        document = genesis.decode((data / "genesis.cbor").read_bytes())
        assert (document.deployers, document.constitution) == ([], shipped.constitution("two_thirds"))
        assert sorted(path.stem for path in (data / "keys" / "governance").iterdir()) == sorted(names)
        again = hansa("up", "--data", data, "--members", "3")
        assert again.failed("argument.value", 2)
    finally:
        assert running.stop() == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--lock", "5"], "is no length of time"),
        (["--lock", "0s"], "is no length of time"),
        (["--lock", "31d"], "is no length of time"),
        (["--constitution", "nonsense"], "there is no constitution"),
        (["--constitution", "./nowhere.py"], "nowhere.py"),
    ],
)
def test_what_no_new_ledger_begins_with(hansa: Callable, tmp_path: Path, options: list[str], said: str) -> None:
    ran = hansa("up", "--data", tmp_path / "data", "--port", "0", *options)
    assert ran.code != 0
    assert said in ran.err
    assert not (tmp_path / "data").exists()


def test_a_file_that_is_no_constitution_begins_no_ledger(hansa: Callable, tmp_path: Path) -> None:
    file = tmp_path / "rules.py"
    file.write_text(shipped.constitution("majority").replace("def resolve", "def decide"))
    ran = hansa("up", "--data", tmp_path / "data", "--port", "0", "--constitution", str(file))
    assert "`resolve` is missing" in ran.err
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(("count", "rules"), [(1, "single"), (2, "majority"), (9, "majority")])
def test_what_a_ledger_of_equal_members_is_decided_by(tmp_path: Path, count: int, rules: str) -> None:
    members = equal_members(count)
    folder = Folder(tmp_path / "data")
    create_ledger(Disk(), folder, "Equals", members, constitution=rules)
    document = genesis.decode(folder.genesis.read_bytes())
    assert len({member.id for member in document.members}) == count
    assert {member.weight for member in document.members} == {1}


def test_what_a_file_of_rules_says_of_itself_and_who_signs_people_in(
    start: Callable, hansa: Callable, hansa_process: Callable, tmp_path: Path
) -> None:
    """A summary is the file's word. A key that cannot sign people in is told at the start, not to the first of them."""
    data, rules, settings = tmp_path / "data", tmp_path / "own.py", tmp_path / "sign-in.toml"
    rules.write_text(shipped.constitution("majority").replace('"""Majority: ', '"""Nobody decides: '))
    settings.write_text('member = "northbank"\nkey = "data/keys/members/northbank.pem"\nsecret = "s"\n')
    command = [sys.executable, "-m", "hansa.cli.main", "up", "--data", str(data), "--port", "0", "--reserve-mb", "0"]
    command += ["--constitution", str(rules), "--sign-in", str(settings)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        lines: list[str] = []
        while not lines or not lines[-1].startswith("Stop it"):
            lines.append(process.stdout.readline().rstrip("\n"))
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_S) == 0
    own = keys.load(data / "keys" / "members" / "northbank.pem").kid.hex()
    assert f"  sign-in  people of northbank, by its key {own[:16]}" in lines
    at = next(at for at, line in enumerate(lines) if line.startswith("  rules    "))
    assert lines[at].startswith(f"  rules    {rules} says of itself: 'Nobody decides: ")
    assert lines[at + 1].strip() == f"what they are, tells: hansa constitution check {rules}"

    running = start(data)
    try:
        retired = ("member", "key", "retire", own, "--as", "northbank", "--data", data)
        assert hansa(*retired).code == 0
    finally:
        assert running.stop() == 0

    def refusal() -> str:
        ran = hansa_process("up", "--data", data, "--port", "0", "--reserve-mb", "0", "--sign-in", settings, "--json")
        assert not (data / "node.json").exists()
        return ran.failed("session.settings")

    suffix = "; people sign in by a transaction key of northbank"
    assert refusal() == f"the key {own} of northbank was retired{suffix}"
    for other, told in (
        ("members/harbourline", "is one of harbourline"),
        ("governance/northbank", "is a governance key"),
        ("node", "is none of a member or user"),
    ):
        settings.write_text(f'member = "northbank"\nkey = "data/keys/{other}.pem"\nsecret = "s"\n')
        kid = keys.load(data / "keys" / f"{other}.pem").kid.hex()
        assert refusal() == f"the key {kid} {told}{suffix}"
