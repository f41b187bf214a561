"""What travels and what is hashed: deterministic CBOR, COSE envelopes, keys, identifiers, limits, problems.

Every other room builds on this one; it imports none of them. It never reads a clock, a file or a
socket and draws no random numbers, so that two machines given the same bytes reach the same result.
"""
