"""How soon a node is ready, and what commands cost: `python -m bench --only ready`.

Time is from the start of the process until `/node/ready` answers 200; CPU is user and system time of the command's
process, from the kernel's accounting. Medians.
"""

import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from hansa.bench.ledger import Ledger

EXAMPLE = Path(__file__).parent.parent / "apps" / "example_ledger" / "contract.py"
STARTS, RUNS = 5, 11
HISTORY = 100_000
HANSA = [sys.executable, "-m", "hansa.cli.main"]


def ready(history: int = HISTORY) -> dict[str, float]:
    """All of it."""
    root = Path(tempfile.mkdtemp(prefix="hansa-bench-", dir="/var/tmp"))
    try:
        new = [started(root / f"new-{number}")[0] for number in range(STARTS)]
        cpu = commands(root / "new-0")
    finally:
        shutil.rmtree(root)
    with Ledger(where=Path("/var/tmp")) as ledger:
        ledger.start()
        made = 0
        while made < history:
            ledger.sign(40_000, ledger.root / "signed")
            made += int(ledger.load(8, 2, ledger.root / "signed", 100)["transactions"])
        ledger.stop()
        old = [started(ledger.folder.root)[0] for _ in range(STARTS)]
    return {"up_new_s": statistics.median(new), "up_1e5_s": statistics.median(old), **cpu}


def started(data: Path) -> tuple[float, float]:
    """Starts a node and stops it; the seconds until it was ready, and the CPU of its whole life."""
    before, begun = _cpu(), time.perf_counter()
    command = [*HANSA, "up", "--data", str(data), "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as node:
        assert node.stdout is not None
        url = json.loads(node.stdout.readline())["url"]
        with urllib.request.urlopen(f"{url}/node/ready") as answer:
            assert answer.status == 200
        took = time.perf_counter() - begun
        node.terminate()
        node.wait()
    return took, _cpu() - before


def commands(data: Path) -> dict[str, float]:
    """CPU of some commands, in ms; `status` against a node that runs."""
    command = [*HANSA, "up", "--data", str(data), "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as node:
        assert node.stdout is not None
        node.stdout.readline()
        found = {
            "status_cpu_ms": _cpu_ms("status", "--data", str(data)),
            "help_cpu_ms": _cpu_ms("--help"),
            "check_cpu_ms": _cpu_ms("contract", "check", str(EXAMPLE)),
        }
        node.terminate()
        node.wait()
    return found


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _cpu_ms(*words: str) -> float:
    times = []
    for _ in range(RUNS):
        before = _cpu()
        subprocess.run([*HANSA, *words], check=True, stdout=subprocess.DEVNULL)
        times.append((_cpu() - before) * 1000)
    return statistics.median(times)
