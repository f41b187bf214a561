"""Looks a machine and a ledger's folder over, without changing either, and says what to mend."""
