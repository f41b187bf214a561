"""The scripted workload of the strace sweep: `python -m tests.faults.traced FOLDER ACKS [--thread]`.

Makes a ledger in FOLDER and runs the usual transactions on it; each answer goes to the file ACKS as one line before
anything else is asked. With `--thread` the commit thread waits for the disk, else the event loop, and then all is done
by one thread, so that strace's counters, which are per thread, count everything.
"""

import asyncio
import hashlib
import os
import sys
from pathlib import Path

from hansa.node import commit as commit_module
from hansa.node.commit import Committer
from hansa.store.files import Disk

from . import enumeration, workload
from .workload import Asked, Ledger

FAULTED = 3


def main(root: Path, acks: Path, *, threaded: bool) -> int:
    descriptor = os.open(acks, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def answered(answer) -> None:
        line = f"{answer.seq} {answer.id.hex()} {hashlib.sha256(answer.outcome).hexdigest()}\n"
        os.write(descriptor, line.encode())

    if threaded:
        commit_module.FAST_S = 0.0
    else:
        Committer.prepare = lambda self: self._prepare() if self._writer.wants_spare() else None
    commit_module.DISK_RETRY_S = 0.01
    with workload.quiet(), workload.small():
        ledger = Ledger(root)
        asked = Asked(on_answer=answered)
        try:
            asyncio.run(workload.session(ledger, Disk(), list(enumeration.waves(ledger, 0)), asked))
        except AssertionError as error:
            if "node.faulted" in str(error):
                return FAULTED
            raise
    return 0


if __name__ == "__main__":
    os._exit(main(Path(sys.argv[1]), Path(sys.argv[2]), threaded="--thread" in sys.argv))
