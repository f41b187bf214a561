"""What tests of contracts share beside `sources` and `world`."""

from collections.abc import Callable

import pytest
from tests.contracts import sources


@pytest.fixture(scope="session")
def declared() -> Callable[[str], str]:
    """A contract file whose class holds these lines."""
    return sources.contract
