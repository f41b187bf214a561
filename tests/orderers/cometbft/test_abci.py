"""The server an engine talks to: replies in the order of the requests, and a connection that ends is told."""

import asyncio
import tempfile
from pathlib import Path

import pytest

from hansa.orderers import Misbehavior
from hansa.orderers.cometbft import abci, protobuf
from hansa.orderers.cometbft.abci import Finalized, Server
from hansa.orderers.cometbft.protobuf import Message


class Told:
    """An application that writes down what it is asked."""

    def __init__(self):
        self.asked = []
        self.decided = asyncio.Event()

    def info(self):
        return 6, b"digest"

    def first_hash(self):
        return b"first"

    def admits(self, path):
        return "" if path == "/known" else "unknown"

    def check(self, tx):
        return "bad" if tx == b"bad" else ""

    def prepare(self, height, txs, room):
        self.asked.append((height, txs, room))
        return txs[:1]

    def process(self, height, txs):
        return len(txs) < 2

    async def finalize(self, height, time, txs, misbehavior):
        await self.decided.wait()
        self.asked.append((height, time, txs, *misbehavior))
        return Finalized(b"after", [(b"key of one", 7), (b"key of another", 0)])

    def retained(self):
        return 3


def request(number, fields=b""):
    return framed(protobuf.blob(number, fields))


def framed(data):
    return protobuf.varint(len(data)) + data


async def reply(reader):
    length = await reader.readexactly(1)
    return Message(await reader.readexactly(length[0]))


def served(talk):
    """Runs `talk(application, reader, writer)` on one connection; gives how often a lost one was told."""

    async def run():
        lost = []
        application = Told()
        server = Server(application, lambda: lost.append(1))
        with tempfile.TemporaryDirectory() as folder:
            await server.start(Path(folder) / "socket")
            reader, writer = await asyncio.open_unix_connection(Path(folder) / "socket")
            try:
                await talk(application, reader, writer)
                for _ in range(20):
                    await asyncio.sleep(0)
                return len(lost)
            finally:
                writer.close()
                await server.stop()

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("number", "fields", "answer"),
    [
        (abci.ECHO, protobuf.blob(1, b"hello"), protobuf.blob(1, b"hello")),
        (abci.FLUSH, b"", b""),
        (abci.INFO, b"", protobuf.integer(4, 6) + protobuf.blob(5, b"digest")),
        (abci.INIT_CHAIN, protobuf.blob(2, b"chain"), protobuf.blob(3, b"first")),
        (abci.QUERY, protobuf.blob(2, b"/known"), b""),
        (abci.QUERY, protobuf.blob(2, b"/other"), protobuf.integer(1, 1) + protobuf.blob(3, b"unknown")),
        (abci.CHECK_TX, protobuf.blob(1, b"good"), b""),
        (abci.CHECK_TX, protobuf.blob(1, b"bad"), protobuf.integer(1, 1) + protobuf.blob(3, b"bad")),
        (abci.COMMIT, b"", protobuf.integer(3, 3)),
        (abci.LIST_SNAPSHOTS, b"", b""),
        (
            abci.PREPARE_PROPOSAL,
            protobuf.integer(1, 99) + protobuf.blobs(2, [b"a", b"b"]) + protobuf.integer(5, 4),
            protobuf.blobs(1, [b"a"]),
        ),
        (abci.PROCESS_PROPOSAL, protobuf.blobs(1, [b"a"]), protobuf.integer(1, 1)),
        (abci.PROCESS_PROPOSAL, protobuf.blobs(1, [b"a", b"b"]), protobuf.integer(1, 2)),
    ],
)
def test_each_request_has_its_reply(number, fields, answer):
    async def talk(application, reader, writer):
        writer.write(request(number, fields))
        message = await reply(reader)
        assert message.numbers() == [number + 1]
        assert message.blob(number + 1) == answer

    served(talk)


def test_what_a_block_proves_is_told():
    """As CometBFT 0.40 has it: the type, the validator, the height, the time, and the power of all."""

    def misbehavior(type, address, height):
        validator = protobuf.blob(1, address) + protobuf.integer(3, 10)
        moment = protobuf.integer(1, 1_700_000_000)
        return (
            protobuf.integer(1, type)
            + protobuf.blob(2, validator)
            + protobuf.integer(3, height)
            + protobuf.blob(4, moment)
            + protobuf.integer(5, 40)
        )

    async def talk(application, reader, writer):
        commit = protobuf.blob(2, protobuf.integer(1, 1))
        proved = protobuf.blobs(3, [misbehavior(1, b"a" * 20, 7), misbehavior(2, b"b" * 20, 6)])
        writer.write(request(abci.FINALIZE_BLOCK, commit + proved + protobuf.integer(5, 9)))
        application.decided.set()
        assert (await reply(reader)).numbers() == [abci.FINALIZE_BLOCK + 1]
        assert application.asked == [(9, 0, [], Misbehavior(7, b"a" * 20), Misbehavior(6, b"b" * 20))]

    served(talk)


def test_a_reply_waits_for_the_one_before_it():
    async def talk(application, reader, writer):
        moment = protobuf.integer(1, 1_700_000_000) + protobuf.integer(2, 123_999_999)
        block = protobuf.blobs(1, [b"x", b"y"]) + protobuf.integer(5, 9) + protobuf.blob(6, moment)
        writer.write(request(abci.FINALIZE_BLOCK, block) + request(abci.FLUSH))
        await asyncio.sleep(0.05)
        application.decided.set()
        first, second = await reply(reader), await reply(reader)
        assert first.message(abci.FINALIZE_BLOCK + 1).blob(5) == b"after"
        assert first.message(abci.FINALIZE_BLOCK + 1).blobs(2) == [b"", b""]
        powers = [Message(one) for one in first.message(abci.FINALIZE_BLOCK + 1).blobs(3)]
        assert [(one.message(1).blob(1), one.integer(2)) for one in powers] == [
            (b"key of one", 7),
            (b"key of another", 0),
        ]
        assert second.numbers() == [abci.FLUSH + 1]
        assert application.asked == [(9, 1_700_000_000_123, [b"x", b"y"])]

    served(talk)


@pytest.mark.parametrize(
    "data",
    [
        request(18),
        framed(b""),
        framed(b"\x0b"),
        protobuf.varint(abci.FRAME_BYTES_MAX + 1),
        b"\xff" * 6,
    ],
    ids=["a request that is never made", "nothing", "no message", "too long", "no length"],
)
def test_what_no_engine_of_ours_says_ends_the_connection_and_is_told(data):
    async def talk(application, reader, writer):
        writer.write(data)
        assert await reader.read() == b""

    assert served(talk) == 1


def test_an_engine_that_goes_is_told():
    async def talk(application, reader, writer):
        writer.write(request(abci.FLUSH))
        await reply(reader)
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(0.05)

    assert served(talk) == 1


def test_one_that_is_dropped_is_not():
    async def talk(application, reader, writer):
        writer.write(request(abci.FINALIZE_BLOCK))

    assert served(talk) == 0
