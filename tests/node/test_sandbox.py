"""What a confined process can no longer do, tried in a child process: each attempt is refused by the kernel."""

import os
import subprocess
import sys

import pytest

LINUX = sys.platform == "linux" and os.uname().machine in ("x86_64", "aarch64")

TRIES = {
    "nothing": ("print(6 * 7)", "42"),
    "parse and compile": ("print(eval(compile('6*7', 'x', 'eval')))", "42"),
    "take memory within the bound": ("print(len(bytearray(20_000_000)))", "20000000"),
    "take memory beyond it": ("bytearray(200_000_000)", "MemoryError"),
    "read a file": ("open('/etc/passwd')", "PermissionError"),
    "read its own environment": ("open('/proc/self/environ')", "PermissionError"),
    "list a folder": ("os.listdir('/')", "PermissionError"),
    "make a file": ("os.open('x', os.O_CREAT | os.O_RDWR)", "PermissionError"),
    "look at a file": ("os.stat('/')", "PermissionError"),
    "make a socket": ("socket.socket()", "PermissionError"),
    "make a Unix socket": ("socket.socket(socket.AF_UNIX)", "PermissionError"),
    "make a pair of sockets": ("socket.socketpair()", "PermissionError"),
    "connect what is open": ("beside.connect('/tmp/x')", "PermissionError"),
    "fork": ("os.fork()", "PermissionError"),
    "start a program": ("os.execv('/bin/true', ['true'])", "PermissionError"),
    "start a thread": ("threading.Thread(target=print).start()", "RuntimeError"),
    "signal its node": ("os.kill(os.getppid(), 0)", "PermissionError"),
    "signal itself": ("os.kill(os.getpid(), 15)", "PermissionError"),
    "map code": ("mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)", "PermissionError"),
    "lift a limit": ("resource.setrlimit(resource.RLIMIT_DATA, (1 << 40, 1 << 40))", "ValueError"),
    "copy a descriptor": ("os.dup(1)", "PermissionError"),
    "watch another": ("library.ptrace(16, os.getppid(), 0, 0) == -1 and os.kill(0, 0)", "PermissionError"),
    "open by the old interface": ("print(library.syscall(0x40000002, b'/etc/passwd', 0))", "-1"),
}

SCRIPT = """
import ctypes, mmap, os, resource, socket, sys, threading
from hansa.node import sandbox

library = ctypes.CDLL(None)
beside, _ = socket.socketpair()
assert sandbox.confine(64 * 1024 * 1024) == (sys.argv[2] == "filtered")
try:
    exec(sys.argv[1])
except BaseException as error:
    print(type(error).__name__)
"""


def confined(code, kind="filtered", prelude=""):
    command = [sys.executable, "-c", prelude + SCRIPT, code, kind]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.skipif(not LINUX, reason="there is no filter on this system")
@pytest.mark.parametrize(("code", "found"), TRIES.values(), ids=TRIES)
def test_a_confined_process_computes_and_nothing_else(code, found):
    assert confined(code) == found


def test_without_the_filter_the_limits_alone_hold():
    """On a machine whose calls nobody has listed."""
    prelude = "import os; os.uname = lambda: type('Name', (), {'machine': 'abacus'})\n"
    assert confined("open('/etc/passwd')", "unfiltered", prelude) == "OSError"
    assert confined("bytearray(200_000_000)", "unfiltered", prelude) == "MemoryError"
    assert confined("print(6 * 7)", "unfiltered", prelude) == "42"
