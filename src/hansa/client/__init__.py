"""What a member, a user or a stranger needs: keys, signed transactions, HTTP, verification without a node.

Imports neither the store nor the server, so it can be lifted out alone.
"""
