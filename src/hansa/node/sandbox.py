"""What the process that runs contracts may still do: compute within a bound of memory, and talk to its node.

A contract that escaped the dialect meets this next. `confine` gives up rights of the calling process for good; only
the worker of `isolated` calls it, after everything it needs has been imported.
"""

import ctypes
import os
import resource
import struct
import sys
from typing import Final

# The filter is written by hand: `pyseccomp`, the only package of the kind, needs a libseccomp.so that slim images
# lack, and the forty instructions below need neither compiler nor kernel headers.

_PROT_EXEC: Final = 4
_PR_SET_SECCOMP: Final = 22
_PR_SET_NO_NEW_PRIVS: Final = 38
_SECCOMP_MODE_FILTER: Final = 2
_ALLOW: Final = 0x7FFF0000
_DENY: Final = 0x00050001  # the call fails with EPERM
_KILL: Final = 0x80000000  # the process ends

_LOAD: Final = 0x20  # a word of `seccomp_data`
_JUMP_EQUAL: Final = 0x15
_JUMP_SET: Final = 0x45
_RETURN: Final = 0x06
_NUMBER_AT: Final = 0
_ARCHITECTURE_AT: Final = 4
_PROTECTION_AT: Final = 32  # the low word of the third argument, of mmap and mprotect alike


class _Machine:
    """The numbers of one kind of machine: its own, of the calls allowed, and of those allowed for data only."""

    def __init__(self, architecture: int, allowed: dict[str, int], mapping: dict[str, int]) -> None:
        self.architecture = architecture
        self.allowed = allowed
        self.mapping = mapping


_MACHINES: Final = {
    "x86_64": _Machine(
        0xC000003E,
        {
            "read": 0, "write": 1, "close": 3, "fstat": 5, "lseek": 8, "munmap": 11, "brk": 12,
            "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "sched_yield": 24, "mremap": 25,
            "madvise": 28, "getpid": 39, "sendto": 44, "recvfrom": 45, "exit": 60, "sigaltstack": 131, "gettid": 186,
            "futex": 202, "restart_syscall": 219, "clock_gettime": 228, "exit_group": 231, "getrandom": 318,
        },
        {"mmap": 9, "mprotect": 10},
    ),
    "aarch64": _Machine(
        0xC00000B7,
        {
            "read": 63, "write": 64, "close": 57, "fstat": 80, "lseek": 62, "munmap": 215, "brk": 214,
            "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139, "sched_yield": 124, "mremap": 216,
            "madvise": 233, "getpid": 172, "sendto": 206, "recvfrom": 207, "exit": 93, "sigaltstack": 132,
            "gettid": 178, "futex": 98, "restart_syscall": 128, "clock_gettime": 113, "exit_group": 94,
            "getrandom": 278,
        },
        {"mmap": 222, "mprotect": 226},
    ),
}  # fmt: skip
"""Neither opens anything, starts or signals a process, or makes memory executable."""


def confine(data_bytes: int) -> bool:
    """Gives up everything but so much more memory and the descriptors that are open; whether the kernel filters too.

    Without the filter (another system, a kernel without it) the limits alone hold. There is none on processor time:
    how much a machine takes for a contract is no property of the contract.
    """
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, 0)  # nothing can be opened any more; what is open stays
    _limit(resource.RLIMIT_NPROC, 0)
    _limit(resource.RLIMIT_DATA, _data_now() + data_bytes)
    return _filter()


def _limit(which: int, most: int) -> None:
    _, hard = resource.getrlimit(which)
    bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(which, (bound, bound))


def _data_now() -> int:
    """What counts against RLIMIT_DATA already; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - no path of a ledger
            pages = int(file.read().split()[5])
    except OSError:
        return 0
    return pages * resource.getpagesize()


def _filter() -> bool:
    machine = _MACHINES.get(os.uname().machine)
    if sys.platform != "linux" or machine is None:
        return False
    library = ctypes.CDLL(None, use_errno=True)
    program = _program(machine)
    instructions = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(instructions))
    if library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return False
    return not library.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.c_char_p(header), 0, 0)


def _program(machine: _Machine) -> bytes:
    """The filter in the kernel's own instructions; jumps are relative and forward."""
    calls = [*machine.allowed.values(), *machine.mapping.values()]
    allowed, count = len(machine.allowed), len(calls)
    allow, check = count + 3, count + 1  # behind the calls: deny, look at the protection, deny if set, allow
    made = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_JUMP_EQUAL, 1, 0, machine.architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_AT),
    ]
    for at, number in enumerate(calls):
        made.append((_JUMP_EQUAL, (allow if at < allowed else check) - at - 1, 0, number))
    made += [
        (_RETURN, 0, 0, _DENY),
        (_LOAD, 0, 0, _PROTECTION_AT),
        (_JUMP_SET, 1, 0, _PROT_EXEC),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _DENY),
    ]
    return b"".join(struct.pack("=HBBI", *one) for one in made)
