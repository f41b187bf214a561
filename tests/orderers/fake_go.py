"""A `go` that builds nothing real: it answers as Go does, and what it builds answers as the engines do.

`FAKE_GO` is a folder: every call adds a line to `calls` there; a file `fail` makes builds fail with its text, a file
`hang` makes them wait, once they have written half a program and their process's number into `hanging`.
"""

import os
import sys
import time
from pathlib import Path

VOI = "v0.0.0-20230904125328-1f23a7beb09a"
ANSWERS = {"etcd": "etcd Version: 3.6.16\nGit SHA: none", "cometbft": "0.39.0", "verifier": VOI}
MODULES = {
    "etcd": ("go.etcd.io/etcd/server/v3", "v3.6.16"),
    "cometbft": ("github.com/cometbft/cometbft", "v0.40.0"),
    "verifier": ("github.com/oasisprotocol/curve25519-voi", VOI),
}


def put(folder: Path, version: str = "1.99.0") -> Path:
    """Puts such a `go` into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "go"
    program.write_text(f"#!{sys.executable} -IS\nVERSION = {version!r}\n{Path(__file__).read_text()}\nmain()\n")
    program.chmod(0o755)
    return program


def varint(number: int) -> bytes:
    out = b""
    while number >= 0x80:
        out, number = out + bytes([number & 0x7F | 0x80]), number >> 7
    return out + bytes([number])


def build_info(modules: str) -> bytes:
    """What Go writes into a program; 16 bytes are its alignment."""
    text = b"s" * 16 + modules.encode() + b"e" * 16
    return b"\xff Go buildinf:\x08\x02" + bytes(16) + varint(8) + b"go1.26.8" + varint(len(text)) + text


def program(banner: str, modules: str = "", code: int = 0) -> bytes:
    """A program that says `banner`, and in which `modules` stand."""
    script = f"#!/bin/sh\ncat <<'END'\n{banner}\nEND\nexit {code}\n".encode()
    words = b"\xff Go buildinf: here are words".ljust(32)
    return script.ljust(-(-len(script) // 16) * 16, b"#") + words + build_info(modules)


def main() -> None:
    folder = Path(os.environ["FAKE_GO"])
    words = sys.argv[1:]
    with (folder / "calls").open("a") as calls:
        calls.write(" ".join(words[:1] + words[-1:]) + "\n")
    if words == ["version"]:
        print(f"go version go{VERSION} linux/amd64")  # noqa: F821 - `put` sets it
    elif words[0] == "list":
        sys.stderr.write("go: downloading example.org/a v1.0.0\n")
        print("example.org/a\nexample.org/b\nexample.org/c")
    else:
        made = Path(words[words.index("-o") + 1])
        if (folder / "fail").exists():
            sys.exit("example.org/a\n# example.org/b\n" + (folder / "fail").read_text())
        sys.stderr.write("example.org/a\nexample.org/b\n")
        whole = program(ANSWERS[made.name], "mod\t" + "\t".join(MODULES[made.name]) + "\th1:x=\n")
        made.write_bytes(whole[:20])
        made.chmod(0o755)
        if (folder / "hang").exists():
            (folder / "hanging").write_text(str(os.getpid()))
            time.sleep(100)
        made.write_bytes(whole)
