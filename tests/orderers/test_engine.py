"""An engine lives as long as its node and no longer: it is started again when it dies, and ends with its node."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hansa.orderers import engine
from hansa.orderers.engine import Engine

SAYS_AND_SLEEPS = "import os, time; print('here', sorted(os.environ), flush=True); time.sleep(60)"
IGNORES_TERM = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
)


def python(program: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", program]


async def until(true, seconds=20.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_what_it_prints_goes_to_its_log_and_it_sees_no_variables_of_the_node(tmp_path, monkeypatch):
    monkeypatch.setenv("ETCD_NAME", "from outside")
    log = tmp_path / "e.log"

    async def run():
        child = Engine(python(SAYS_AND_SLEEPS), log, environment={"HOME": "/nowhere"})
        await child.start()
        await until(lambda: b"here" in log.read_bytes())
        await child.stop()
        assert child.pid is None
        await child.stop()

    asyncio.run(run())
    assert log.read_text() in ("here ['HOME', 'LC_CTYPE', 'PATH']\n", "here ['HOME', 'PATH']\n")
    assert log.stat().st_mode & 0o077 == 0


def test_one_that_dies_is_started_again_and_its_death_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "PAUSE_FIRST_S", 0.01)
    deaths = []

    async def run():
        child = Engine(python(SAYS_AND_SLEEPS), tmp_path / "e.log", died=deaths.append)
        await child.start()
        first = child.pid
        os.kill(first, signal.SIGKILL)
        await until(lambda: child.pid not in (None, first))
        second = child.pid
        child.kill()
        await until(lambda: child.pid not in (None, second))
        last = child.pid
        await child.stop()
        assert not alive(last)

    asyncio.run(run())
    assert deaths == [-9, -9]  # its orderly end is no death


def test_the_pause_grows_while_it_keeps_dying(tmp_path, monkeypatch):
    pauses = []
    real = asyncio.sleep

    async def sleep(seconds):
        pauses.append(seconds)
        await real(0)

    monkeypatch.setattr(engine, "PAUSE_FIRST_S", 1.0)
    monkeypatch.setattr(engine, "PAUSE_LONGEST_S", 3.0)

    async def run():
        child = Engine(["/bin/false"], tmp_path / "e.log")
        await child.start()
        monkeypatch.setattr(engine.asyncio, "sleep", sleep)
        while len(pauses) < 4:
            await real(0.01)
        await child.stop()

    asyncio.run(run())
    assert pauses[:4] == [1.0, 2.0, 3.0, 3.0]


def test_one_that_does_not_listen_is_killed(tmp_path):
    log = tmp_path / "e.log"

    async def run():
        child = Engine(python(IGNORES_TERM), log)
        await child.start()
        await until(lambda: b"deaf" in log.read_bytes())
        pid = child.pid
        await child.stop(patience=0.05)
        assert not alive(pid)

    asyncio.run(run())


def test_no_program_is_refused(tmp_path, refused):
    with refused("engine.start"):
        asyncio.run(Engine([tmp_path / "none"], tmp_path / "e.log").start())


def test_a_long_log_is_put_aside(tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "LOG_BYTES_MAX", 3)
    log = tmp_path / "e.log"
    log.write_text("long\n")

    async def run():
        child = Engine(["/bin/echo", "new"], log)
        await child.start()
        await until(lambda: log.exists() and b"new" in log.read_bytes())
        await child.stop()

    asyncio.run(run())
    assert (tmp_path / "e.log.old").exists()


@pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere a killed node leaves its engine behind, as the module says"
)
def test_it_ends_with_a_node_that_is_killed(tmp_path):
    program = f"""
import asyncio, sys
from pathlib import Path
from hansa.orderers.engine import Engine
async def run():
    child = Engine({python("import time; time.sleep(60)")!r}, Path({str(tmp_path / "e.log")!r}))
    await child.start()
    print(child.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(run())
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as node:
        pid = int(node.stdout.readline())
        assert alive(pid)
        node.kill()

    async def gone():
        await until(lambda: not alive(pid))

    asyncio.run(gone())
