"""What a node is given for its member of the cluster, as it stands in `orderer.json`, and how it starts the member."""

import re
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from hansa.wire.problems import HansaError

REQUEST_BYTES_MAX: Final = 8 * 1024 * 1024
"""Of one change, as etcd is told: a batch with one envelope of the largest size fits well."""
QUOTA_BYTES: Final = 8 * 1024 * 1024 * 1024
HEARTBEAT_MS: Final = 100
"""Between members of a cluster on one site, as etcd has it by itself."""
ELECTION_MS: Final = 1_000
"""Of etcd's own leader. For members far from each other: ten times the way there and back, or more."""
WIDE_HEARTBEAT_MS: Final = 300
"""Between regions of the world: about the longest way there and back."""
WIDE_ELECTION_MS: Final = 3_000
"""Between regions, ten times that way, as etcd's own guide says."""

_URL: Final = re.compile(r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]+|\[[0-9a-f:]+\]):(?P<port>[0-9]{1,5})")
_Name = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
_DATA: Final = "data"
"""The member's own folder."""


class EtcdMember(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One member, which is its node's. URLs have scheme, host and port and nothing else."""

    name: _Name
    peers: str
    """Where the other members reach it."""
    clients: str
    """Where nodes reach it."""


class EtcdSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Of one node. All nodes of a cluster have the same `members` and `token`.

    `home`: the folder of the member's data, the log and what this node keeps of the order. `token`: tells apart
    clusters at the same places; the ledger's id serves. `ca`, `certificate`, `key`: PEM files for mutual TLS between
    members and from nodes to members; empty is refused unless `plain`, which is for tests on loopback alone.
    etcd reads them at each connection and enforces their dates. Certificate and key may be one file, which can be
    replaced at once.
    """

    name: _Name
    members: Annotated[tuple[EtcdMember, ...], Meta(min_length=1, max_length=7)]
    token: Annotated[str, Meta(min_length=1, max_length=128)]
    home: str
    ca: str = ""
    certificate: str = ""
    key: str = ""
    plain: bool = False
    quota: Annotated[int, Meta(ge=16 * 1024 * 1024)] = QUOTA_BYTES
    heartbeat: Annotated[int, Meta(ge=10, le=10_000)] = HEARTBEAT_MS
    election: Annotated[int, Meta(ge=100, le=50_000)] = ELECTION_MS

    @property
    def own(self) -> EtcdMember:
        """The node's own member."""
        return next(member for member in self.members if member.name == self.name)


def far_apart(settings: EtcdSettings) -> EtcdSettings:
    """The same for members in several regions. All members of a cluster MUST have the same of it."""
    return msgspec.structs.replace(settings, heartbeat=WIDE_HEARTBEAT_MS, election=WIDE_ELECTION_MS)


def check(settings: EtcdSettings) -> None:
    """Raises `HansaError` `orderer.settings` for what no cluster can be made of."""
    names = [member.name for member in settings.members]
    scheme = "http" if settings.plain else "https"
    if settings.name not in names or len(set(names)) < len(names):
        raise HansaError("orderer.settings", f"{settings.name} must be one of the members, which have different names")
    files = [settings.ca, settings.certificate, settings.key]
    if any(files) if settings.plain else not all(files):
        raise HansaError("orderer.settings", "give ca, certificate and key, or else plain, which is for loopback alone")
    for member in settings.members:
        for url in (member.peers, member.clients):
            found = _URL.fullmatch(url)
            if found is None or found["scheme"] != scheme or not 0 < int(found["port"]) < 65536:
                raise HansaError("orderer.settings", f"{url} is not of the form {scheme}://HOST:PORT")
            if settings.plain and found["host"] not in ("127.0.0.1", "[::1]"):
                raise HansaError("orderer.settings", f"{url}: without TLS members are on loopback alone")


def endpoints(settings: EtcdSettings) -> list[str]:
    """Where the cluster answers, this node's own member first."""
    return [settings.own.clients] + [m.clients for m in settings.members if m.name != settings.name]


def has_data(settings: EtcdSettings) -> bool:
    """Whether the member has been started here before."""
    return (Path(settings.home) / _DATA / "member").exists()


def command(settings: EtcdSettings, binary: Path, *, joins: bool = False) -> list[str]:
    """How the member is started. Figures are those measured to be good; everything is said, so no default changes.

    `joins`: it has no data, and joins a cluster that there is. Where there is data, etcd does not look at this.
    """
    own = settings.own
    tls = [
        "--client-cert-auth",
        f"--trusted-ca-file={settings.ca}",
        f"--cert-file={settings.certificate}",
        f"--key-file={settings.key}",
        "--peer-client-cert-auth",
        f"--peer-trusted-ca-file={settings.ca}",
        f"--peer-cert-file={settings.certificate}",
        f"--peer-key-file={settings.key}",
        "--tls-min-version=TLS1.3",
    ]
    return [
        str(binary),
        f"--name={own.name}",
        f"--data-dir={Path(settings.home) / _DATA}",
        f"--listen-client-urls={own.clients}",
        f"--advertise-client-urls={own.clients}",
        f"--listen-peer-urls={own.peers}",
        f"--initial-advertise-peer-urls={own.peers}",
        "--initial-cluster=" + ",".join(f"{member.name}={member.peers}" for member in settings.members),
        f"--initial-cluster-token={settings.token}",
        f"--initial-cluster-state={'existing' if joins else 'new'}",
        f"--max-request-bytes={REQUEST_BYTES_MAX}",
        f"--quota-backend-bytes={settings.quota}",
        "--snapshot-count=5000",
        f"--heartbeat-interval={settings.heartbeat}",
        f"--election-timeout={settings.election}",
        "--auto-compaction-retention=0",
        "--log-level=warn",
        "--log-outputs=stderr",
        *([] if settings.plain else tls),
    ]
