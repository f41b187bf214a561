"""The node's HTTP face: submitting on a short way of its own, everything else by routes, OpenAPI, problem+json.

Bound to loopback: any other address would need TLS and authenticated reads, which this version does not have.
"""
