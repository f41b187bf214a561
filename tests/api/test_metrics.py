"""Metrics over HTTP: refusals are counted by the family of their code, wherever they are answered."""

from prometheus_client.parser import text_string_to_metric_families


def refusals(server) -> dict[str, float]:
    answer = server.ask(server.get(b"/node/metrics"))
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    families = text_string_to_metric_families(answer.body.decode())
    (found,) = [family for family in families if family.name == "hansa_requests_refused"]
    return {sample.labels["family"]: sample.value for sample in found.samples}


def test_refusals_are_counted_by_family(server):
    before = refusals(server)
    deployed = server.deploy()
    asked = [
        (server.get(b"/app/entries/99999"), "entry"),
        (server.get(b"/nowhere"), "request"),
        (server.get(b"/node/status", method=b"DELETE"), "request"),
        (server.get(b"/node/status").replace(server.host, b"elsewhere"), "request"),
        (b"no request at all\r\n\r\n", "request"),
        (server.request(b"x"), "envelope"),
        (server.request(server.forged()), "signature"),
        (server.request(deployed.envelope + b"x", kind=b"text/plain"), "request"),
    ]
    for request, family in asked:
        assert server.ask(request).code.split(".")[0] == family
    batch = [server.forged(), server.tell().envelope, server.forged()]
    assert server.ask(server.request(b"".join(batch), kind=b"application/cbor-seq")).status == 200
    expected = dict(before)
    for family in [*(family for _, family in asked), "signature", "signature"]:
        expected[family] = expected.get(family, 0) + 1
    assert refusals(server) == expected
