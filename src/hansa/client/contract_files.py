"""How a contract file suggests the name that it will have on the ledger."""

from pathlib import Path


def suggested_name(file: Path) -> str:
    """The name a contract file suggests: its own, or its folder's if it is called contract.py."""
    stem = file.absolute().parent.name if file.stem == "contract" else file.stem
    return stem.lower().replace("-", "_")
