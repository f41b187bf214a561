"""Who belongs to a ledger and what they may do: the `members` contract, genesis, and the directory of signers.

Pure: records come in, records and verdicts go out. `node` keeps the directory beside the state and asks it about
every sender. A constitution takes the `members` records over later.
"""
