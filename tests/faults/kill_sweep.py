"""Real `kill -9` of a real server under load, at random moments, again and again on one ledger."""

import time
from dataclasses import dataclass
from pathlib import Path
from random import Random

from .server import Client, Load, Promises, Server

COUNTERS = ["a", "b", "c"]


@dataclass
class Killed:
    """What a sweep came to."""

    kills: int = 0
    in_start: int = 0
    transactions: int = 0
    unknown: int = 0
    unknown_committed: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        return (
            f"{self.kills} kills under load and {self.in_start} while starting, {self.transactions} transactions "
            f"acknowledged, {self.unknown} unknown at a kill ({self.unknown_committed} of them committed), "
            f"{self.seconds:.0f} s"
        )


def sweep(data: Path, rounds: int, seed: int, threads: int = 4) -> tuple[Killed, list[str]]:
    """So many kills under load; after each, the ledger is checked by its clients. What came of it, and violations."""
    server = Server(data)
    try:
        assert server.ready(), "the server does not start"
        return _Sweep(data, server, Random(seed), threads).run(rounds)
    finally:
        server.kill()


class _Sweep:
    def __init__(self, data: Path, server: Server, chance: Random, threads: int) -> None:
        self._data = data
        self._server = server
        self._chance = chance
        self._threads = threads
        self._promises = Promises(data)
        self._tally = Killed()

    def run(self, rounds: int) -> tuple[Killed, list[str]]:
        begun = time.monotonic()
        promises, tally = self._promises, self._tally
        client = self._server.client()
        promises.deploy(client, COUNTERS)
        checked: set[bytes] = set()
        for number in range(rounds):
            self._kill(client, number)
            if number % 6 == 5:  # once more, in mid-start
                self._server = Server(self._data)
                time.sleep(0.25 + 0.5 * self._chance.random())
                self._server.kill()
                tally.in_start += 1
            self._server = Server(self._data)
            if not self._server.ready():
                return tally, [*promises.problems, f"round {number}: the server does not start again"]
            client = self._server.client()
            new = [id for id in promises.acknowledged if id not in checked]
            promises.check(client, new)
            checked |= set(new)
            tally.unknown_committed += promises.resend_unknown(client)
            promises.check_head(client)
            if promises.problems:
                break
        promises.check(client, list(promises.acknowledged))
        promises.check_counters(client, COUNTERS)
        client.close()
        if self._server.stop() != 0:
            promises.problems.append("the server does not stop cleanly")
        tally.transactions = len(promises.acknowledged)
        tally.seconds = time.monotonic() - begun
        return tally, promises.problems

    def _kill(self, client: Client, number: int) -> None:
        load = Load(self._server, self._promises, COUNTERS, self._threads, pause_s=0.004)
        time.sleep(self._chance.choice((0.02, 0.1, 0.3)) * self._chance.random() + 0.02)
        if number % 4 == 3:
            self._promises.check_head(client)
        client.close()
        self._server.kill()
        load.stop()
        self._tally.kills += 1
        self._tally.unknown += len(self._promises.unknown)
