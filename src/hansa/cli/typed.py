"""What contracts declare, got hold of to show what they said: events, and why something was refused.

Nothing depends on it: where a node does not say, values are shown as they are on the ledger.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hansa.client import readable
from hansa.client.arguments import Schema
from hansa.client.client import Client
from hansa.wire.problems import HansaError

if TYPE_CHECKING:
    from hansa.contracts.manifest import Manifest


def declared(node: Client, contract: str, least: str | None = None) -> Schema | None:
    """What a contract on a node declares, in version `least` or a later one; None if the node does not say."""
    try:
        return node.schema(contract, least=least)
    except HansaError:
        return None


def schemas(manifests: Mapping[str, "Manifest"]) -> dict[str, Schema]:
    """What contracts at hand declare, by their names."""
    from hansa.contracts.schema import contract_schema

    return {name: contract_schema(manifest) for name, manifest in manifests.items()}


def events(node: Client, called: str | None, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events of an outcome on a node, as people read them; one that names no contract is of the one `called`."""
    if called is None:
        return found
    return readable.events(_declared(node, [event.get("contract", called) for event in found]), called, found)


def refusal(node: Client, called: str | None, result: Any) -> Any:
    """A refusal on a node, of an action of the contract `called`, as people read it, for `output.filled`."""
    if called is None or not readable.has_values(result):
        return result
    return readable.refusal(_declared(node, [readable.speaker(result, called)]), called, result)


def _declared(node: Client, contracts: list[str]) -> dict[str, Schema]:
    found = {name: declared(node, name) for name in dict.fromkeys(contracts)}
    return {name: schema for name, schema in found.items() if schema is not None}
