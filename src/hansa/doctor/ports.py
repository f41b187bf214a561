"""Who listens where: whether a node finds its port free, and whether one that runs is reached from here only."""

import ipaddress
import socket
import sys
from typing import Final
from urllib.parse import urlsplit

import msgspec

from hansa.doctor.check import Check
from hansa.doctor.machine import Machine

_LISTENS: Final = "0A"  # TCP_LISTEN, as /proc/net/tcp writes it


class Listener(msgspec.Struct, frozen=True):
    """A listening socket: its address, and its inode, by which its process can be found."""

    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    inode: str


def free(machine: Machine, port: int) -> Check:
    """Whether a node could take the port. Port 0 is always free."""
    name = "port"
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
            tried.listen(1)
        except OSError as error:
            holder = _holder(machine, port)
            why = "A node that cannot take its port does not start."
            fix = f"Stop {holder}, or start with another port: `hansa up --port 0` takes a free one."
            return Check(name, "warn", f"127.0.0.1:{port} is held by {holder} ({error.strerror})", why, fix)
    return Check(name, "ok", f"127.0.0.1:{port} is free")


def reached_from(machine: Machine, url: str) -> Check:
    """Whether a running node is reached from its own machine only, as far as that can be seen from this one."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not _is_here(host):
        why = "Without TLS and sign-in whoever reaches the port reads the whole ledger."
        fix = "Run `hansa doctor` on that machine; what is in front of the node there should ask who comes."
        return Check("port", "unknown", f"{host} may be another machine, whose ports are not seen here", why, fix)
    return loopback_only(machine, parts.port or (443 if parts.scheme == "https" else 80))


def _is_here(host: str) -> bool:
    """Whether a host of a URL is this machine's loopback."""
    try:
        return _is_loopback(ipaddress.ip_address(host))
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def loopback_only(machine: Machine, port: int) -> Check:
    """Whether all who listen on the port of a running node listen on loopback addresses."""
    name, why = "port", "Without TLS and sign-in whoever reaches the port reads the whole ledger."
    found = listeners(machine, port)
    if found is None:
        fix = "See that nothing forwards the port to other machines; on Linux this check reads /proc/net/tcp."
        return Check(name, "unknown", "the system does not say who listens", why, fix)
    if not found:
        fix = "See whether something forwards it, from a container say, and whom that lets in."
        return Check(name, "unknown", f"whoever answers at port {port} is not seen to listen on it", why, fix)
    outside = sorted({str(one.address) for one in found if not _is_loopback(one.address)})
    if outside:
        fix = "Stop what listens there, or keep the port behind a firewall."
        return Check(name, "fail", f"port {port} is open on {', '.join(outside)}", why, fix)
    return Check(name, "ok", f"port {port} is open on loopback addresses only")


def listeners(machine: Machine, port: int) -> list[Listener] | None:
    """All who listen on a port, from /proc/net/tcp and tcp6 (proc(5)); None where there are no such files."""
    texts = [machine.text(machine.proc / "net" / name) for name in ("tcp", "tcp6")]
    if texts == [None, None]:
        return None
    found: list[Listener] = []
    for text in texts:
        for line in (text or "").splitlines()[1:]:
            fields = line.split()
            if len(fields) > 9 and fields[3] == _LISTENS:
                host, _, number = fields[1].partition(":")
                if int(number, 16) == port:
                    found.append(Listener(_address(host), fields[9]))
    return found


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An address as the kernel prints it: words of four bytes in the machine's order."""
    words = [int(text[i : i + 8], 16) for i in range(0, len(text), 8)]
    data = b"".join(word.to_bytes(4, sys.byteorder) for word in words)
    return ipaddress.IPv4Address(data) if len(data) == 4 else ipaddress.IPv6Address(data)


def _is_loopback(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def _holder(machine: Machine, port: int) -> str:
    """The process that holds a port, if it can be seen: another user's cannot."""
    inodes = {one.inode for one in listeners(machine, port) or []}
    for pid in machine.processes():
        if inodes.intersection(machine.sockets_of(pid)):
            name = (machine.text(machine.proc / str(pid) / "comm") or "").strip()
            return f"process {pid}" + (f" ({name})" if name else "")
    return "another process"
