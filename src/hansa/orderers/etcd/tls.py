"""How a node shows itself to the members of its cluster, and knows them: certificates of one authority."""

import ssl

from hansa.orderers.etcd.settings import EtcdSettings
from hansa.wire.problems import HansaError


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
