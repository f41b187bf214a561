"""A client that notes what it is asked for and gives it back: what generated modules do with the SDK is seen in it."""

from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal


class Amount:
    def __init__(self, minor: int, currency: str) -> None:
        self.minor = minor
        self.currency = currency


class Answer:
    seq: int | None = 7


class Row:
    seq = 3
    version = "1.0.0"

    def __init__(self, value: dict[str, Any]) -> None:
        self.value = value


class Client:
    """Notes what it is asked for, and gives it back."""

    def __init__(self, url: str = "", key: Path | None = None) -> None:
        self.asked: list[Any] = []

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def call(
        self,
        contract: str,
        action: str,
        arguments: Mapping[str, Any],
        *,
        wait: Literal["accepted", "committed", "receipt"] = "committed",
        steps_max: int = 10_000,
    ) -> Answer:
        self.asked.append(("call", contract, action, arguments, wait, steps_max))
        return Answer()

    def view(self, contract: str, view: str, arguments: Mapping[str, Any]) -> Any:
        self.asked.append(("view", contract, view, arguments))
        return Amount(5, "USD")

    def record(self, contract: str, type: str, key: Any) -> Row:
        self.asked.append(("record", contract, type, key))
        return Row({"owner": key})

    def records(
        self,
        contract: str,
        type: str,
        *,
        index: str | None = None,
        equal: Any = None,
        least: Any = None,
        most: Any = None,
        descending: bool = False,
    ) -> Iterator[Row]:
        self.asked.append(("records", contract, type, index, equal, descending))
        yield Row({"owner": "alex"})
        yield Row({"owner": "jim"})


class AsyncClient:
    """The same, awaited."""

    def __init__(self) -> None:
        self._client = Client()
        self.asked = self._client.asked

    async def call(
        self,
        contract: str,
        action: str,
        arguments: Mapping[str, Any],
        *,
        wait: Literal["accepted", "committed", "receipt"] = "committed",
        steps_max: int = 10_000,
    ) -> Answer:
        return self._client.call(contract, action, arguments, wait=wait, steps_max=steps_max)

    async def view(self, contract: str, view: str, arguments: Mapping[str, Any]) -> Any:
        return self._client.view(contract, view, arguments)

    async def record(self, contract: str, type: str, key: Any) -> Row:
        return self._client.record(contract, type, key)

    async def records(
        self,
        contract: str,
        type: str,
        *,
        index: str | None = None,
        equal: Any = None,
        least: Any = None,
        most: Any = None,
        descending: bool = False,
    ) -> AsyncIterator[Row]:
        for row in self._client.records(contract, type, index=index, equal=equal, descending=descending):
            yield row
