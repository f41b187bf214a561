"""Hansa: a ledger that organisations which do not fully trust each other keep together.

The rooms, lowest first: `wire`, `merkle`, `store`, `orderers` and `client`, `contracts`, `governance`,
`node`, `api`, `cli`. A room imports lower rooms only; `docs/explanation/architecture.md` is the map. Beside them
`contract` has the names that contract files import, for editors alone: Python does not run it.
"""

__version__ = "0.1.0"
