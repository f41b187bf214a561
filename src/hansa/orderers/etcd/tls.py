"""How a node and its member show themselves to the other members, and know them: certificates of one authority."""

import ssl
from pathlib import Path
from urllib.parse import urlsplit

from hansa.orderers import certificates
from hansa.orderers.certificates import Pair
from hansa.orderers.etcd.settings import EtcdSettings
from hansa.store.files import Disk, inaccessible, read_whole, replace
from hansa.wire.problems import HansaError


def renew(settings: EtcdSettings, now: int) -> None:
    """Makes the member's certificate and key afresh, where the authority's key is given; etcd reads them as it needs.

    `now` is ms since 1970 UTC. Raises `HansaError` `orderer.settings`, `folder.access`.
    """
    if not settings.authority:
        return
    try:
        by = Pair(read_whole(Disk(), Path(settings.ca)), read_whole(Disk(), Path(settings.authority)))
    except OSError as error:
        raise inaccessible(error, Path(settings.authority)) from error
    hosts = {urlsplit(url).hostname or "" for url in (settings.own.peers, settings.own.clients)}
    try:
        made = certificates.issue(by, settings.name, sorted(hosts), now)
    except ValueError as error:
        raise HansaError("orderer.settings", f"{settings.authority} is not the key of an authority: {error}") from error
    # Both in one file: two could not be replaced at once, and a certificate with another's key serves nobody.
    replace(Disk(), Path(settings.certificate), made.certificate + made.key)


def context(settings: EtcdSettings) -> ssl.SSLContext | None:
    """For a node's own connections. None without TLS. Raises `HansaError` `orderer.settings` for unfit files."""
    if settings.plain:
        return None
    try:
        made = ssl.create_default_context(cafile=settings.ca)
    except (OSError, ssl.SSLError) as error:
        raise HansaError("orderer.settings", f"{settings.ca} cannot be used: {error}") from error
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    load(made, settings)
    return made


def load(context: ssl.SSLContext, settings: EtcdSettings) -> None:
    """Takes the certificate as it is now for the next connections. Raises `HansaError` `orderer.settings`."""
    try:
        context.load_cert_chain(settings.certificate, settings.key)
    except (OSError, ssl.SSLError) as error:
        raise HansaError("orderer.settings", f"{settings.certificate} cannot be used: {error}") from error
