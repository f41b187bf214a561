"""Clock, ports, versions, memory, files and processor, each with its fault put into the machine."""

import os
import socket

import pytest

from hansa.doctor import clock, ports, resources, versions
from hansa.doctor.machine import Machine, Synchronised

# The clock


@pytest.mark.parametrize(
    ("said", "verdict"), [(Synchronised(True, 12.5), "ok"), (Synchronised(False, 16_000.0), "warn"), (None, "unknown")]
)
def test_whether_the_clock_is_kept_right(machine, said, verdict):
    machine.synchronised = lambda: said
    assert clock.kept_right(machine).verdict == verdict
    machine.tell("run/systemd/timesync/synchronized", "")
    assert clock.kept_right(machine).verdict == "ok"


def test_this_machine_says_whether_its_clock_is_synchronised():
    found = Machine().synchronised()
    assert found is None or found.error_ms_max >= 0


@pytest.mark.parametrize(("moved", "verdict"), [(0, "ok"), (60_000, "warn"), (-60_000, "warn")])
def test_a_clock_that_is_set_meanwhile(machine, moved, verdict):
    watch = clock.Watch(machine)
    machine.ahead_ms = moved
    assert watch.check().verdict == verdict


# Ports


def test_a_free_port_and_one_that_is_taken():
    machine = Machine()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = ports.free(machine, port)
        assert found.verdict == "warn"
        if ports.listeners(machine, port) is not None:
            assert f"process {os.getpid()}" in found.seen
            assert ports.loopback_only(machine, port).verdict == "ok"
    assert ports.free(machine, port).verdict == "ok"


def test_a_port_that_is_open_to_others():
    machine = Machine()
    with socket.create_server(("0.0.0.0", 0)) as taken:
        if ports.listeners(machine, 1) is None:
            pytest.skip("no /proc/net/tcp here")
        found = ports.loopback_only(machine, taken.getsockname()[1])
    assert (found.verdict, "0.0.0.0" in found.seen) == ("fail", True)


@pytest.mark.parametrize(
    ("file", "address", "verdict"),
    [
        ("tcp", "0100007F", "ok"),
        ("tcp", "0A01A8C0", "fail"),
        ("tcp6", "00000000000000000000000001000000", "ok"),
        ("tcp6", "0000000000000000FFFF00000100007F", "ok"),
        ("tcp6", "00000000000000000000000000000000", "fail"),
    ],
)
def test_addresses_as_the_kernel_writes_them(machine, file, address, verdict):
    head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    line = f"   0: {address}:2116 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000  0 4242 1 0\n"
    machine.tell(f"proc/net/{file}", head + line)
    assert ports.loopback_only(machine, 0x2116).verdict == verdict


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:8470", "whoever answers at port 8470 is not seen"),
        ("https://localhost", "whoever answers at port 443 is not seen"),
        ("http://[::1]:99", "whoever answers at port 99 is not seen"),
        ("http://ledger.example:8470", "ledger.example may be another machine"),
        ("http://10.0.0.9", "10.0.0.9 may be another machine"),
    ],
)
def test_nobody_listens_here(machine, url, said):
    """Nothing is known to be right where nobody is seen: neither here nor at another machine's port."""
    machine.tell("proc/net/tcp", "  sl  local_address rem_address   st\n")
    found = ports.reached_from(machine, url)
    assert found.verdict == "unknown"
    assert found.seen.startswith(said)


def test_listeners_that_are_not_told(machine):
    assert ports.loopback_only(machine, 8470).verdict == "unknown"


# Versions


@pytest.mark.parametrize(
    ("version", "system", "bits", "verdict"),
    [((3, 10), "linux", 64, "fail"), ((3, 11), "linux", 64, "ok"), ((3, 14), "linux", 64, "ok"),
     ((3, 12), "linux", 32, "fail"), ((3, 99), "linux", 64, "warn"), ((3, 12), "darwin", 64, "warn")],
)  # fmt: skip
def test_python(version, system, bits, verdict):
    assert versions.python(version, system, bits).verdict == verdict


REQUIRED = ["click<9,>=8.5", "lmdb <4, >=3.0", 'pytest>=9.2; extra == "testing"', "py-ed25519-zebra-bindings<2,>=1.3"]


@pytest.mark.parametrize(
    ("installed", "verdict", "said"),
    [
        ({"click": "8.5.1", "lmdb": "3.0", "py-ed25519-zebra-bindings": "1.3.0"}, "ok", "all 3"),
        ({"click": "8.4.9", "lmdb": "3.0", "py-ed25519-zebra-bindings": "1.3.0"}, "fail", "click is 8.4.9"),
        ({"click": "9.0.0", "lmdb": "3.0", "py-ed25519-zebra-bindings": "1.3.0"}, "fail", "click is 9.0.0"),
        ({"click": "8.10.0", "lmdb": "2.9", "py-ed25519-zebra-bindings": "1.9"}, "fail", "lmdb is 2.9"),
        ({"click": "8.5.1", "lmdb": "3.0"}, "fail", "py-ed25519-zebra-bindings is missing"),
    ],
)
def test_libraries(machine, installed, verdict, said):
    machine.required, machine.installed = lambda: REQUIRED, installed.get
    found = versions.libraries(machine)
    assert found.verdict == verdict
    assert said in found.seen


def test_libraries_of_what_is_no_package(machine):
    machine.required = list
    assert versions.libraries(machine).verdict == "unknown"


def test_the_libraries_of_this_machine():
    assert versions.libraries(Machine()).verdict == "ok"


# Memory, files, processor


@pytest.mark.parametrize(("available_mb", "verdict"), [(199, "fail"), (200, "warn"), (511, "warn"), (512, "ok")])
def test_memory(machine, available_mb, verdict):
    machine.tell("proc/meminfo", f"MemTotal: 9 kB\nMemAvailable: {-(-available_mb * 1_000_000 // 1024)} kB\n")
    assert resources.memory(machine).verdict == verdict


def test_memory_that_a_control_group_limits(machine):
    machine.tell("sys/fs/cgroup/memory.max", "268435456\n")
    machine.tell("sys/fs/cgroup/memory.current", "200000000\n")
    assert resources.memory(machine).verdict == "fail"
    machine.tell("sys/fs/cgroup/memory.max", "max\n")
    assert resources.memory(machine).verdict == "ok"


def test_memory_that_is_not_told(machine):
    machine.tell("proc/meminfo", None)
    assert resources.memory(machine).verdict == "unknown"


@pytest.mark.parametrize(("most", "verdict"), [(1_023, "warn"), (1_024, "ok"), (None, "ok")])
def test_open_files(machine, most, verdict):
    machine.open_files_max = lambda: most
    assert resources.open_files(machine).verdict == verdict


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("model name : X\nflags : fpu sse4_2 sha_ni\n", "ok"),
        ("model name : X\nflags : fpu sse4_2\n", "warn"),
        ("Features : fp asimd sha2 crc32\n", "ok"),
        ("Features : fp asimd\n", "warn"),
        (None, "unknown"),
    ],
)
def test_the_processor(machine, text, verdict):
    machine.tell("proc/cpuinfo", text)
    assert resources.processor(machine).verdict == verdict
