"""What lies on disk: the journal, which is the truth, and what is derived from it (tiles, state, checkpoints).

Called by `node` only. Every file but LMDB's own is touched through `files`, so that tests can make any
operation fail or lose its effect; LMDB (`state`) can always be dropped and rebuilt from the journal.
"""
