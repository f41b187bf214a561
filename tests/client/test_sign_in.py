"""The code flow of a native client: at a real provider, and against answers that were not asked for."""

import base64
import json
import socket
import threading

import httpx2
import pytest
from tests.foreign.oidc import Provider, follow, jwks

from hansa.client import keys, sign_in
from hansa.wire import session
from hansa.wire.problems import HansaError

TENANT = "/north/v2.0"


@pytest.fixture(scope="module")
def provider():
    made = Provider({TENANT: {"jwks": jwks("north"), "claims": {"tid": "tenant-north"}}})
    yield made
    made.stop()


@pytest.fixture(scope="module")
def key():
    return keys.generate("p256")


def authorize(issuer, key, browse, wait_s=20.0):
    """What comes of it while `browse(url)` does on a thread of its own what a person would do."""
    threads = []

    def show(url):
        threads.append(threading.Thread(target=browse, args=(url,)))
        threads[-1].start()

    try:
        return sign_in.authorize(issuer, "hansa", key, show, wait_s=wait_s)
    finally:
        for thread in threads:
            thread.join()


def signing_in(seen, *, before=(), **change):
    """Somebody who signs in; the address that the provider sends the browser to is changed on the way."""

    def browse(url):
        with httpx2.Client() as browser:
            asked = httpx2.URL(url)
            end = follow(browser, str(asked.copy_merge_params({"login_hint": "alice"})))
            for other in before:
                seen.append(browser.get(str(end.copy_with(path="/callback", query=None).copy_merge_params(other))))
            wanted = {name: value for name, value in {**dict(end.params), **change}.items() if value is not None}
            seen.append(browser.get(str(end.copy_with(query=None).copy_merge_params(wanted))))

    return browse


def refusal(issuer, key, browse, **options):
    with pytest.raises(HansaError) as caught:
        authorize(issuer, key, browse, **options)
    return caught.value


def test_a_person_signs_in_with_a_browser(provider, key):
    seen = []
    text = authorize(provider.url(TENANT), key, signing_in(seen))
    body = json.loads(base64.urlsafe_b64decode(text.split(".")[1] + "=="))
    assert body["nonce"] == session.nonce_of(key.public.spki)
    assert "close this window" in seen[0].text


def test_answers_with_another_state_are_passed_over(provider, key):
    """Whoever can make the browser come here, but did not see the request, cannot put a code of their own in."""
    seen = []
    others = [{"code": "mine", "state": "guessed"}, {"code": "mine"}, {"error": "access_denied", "state": ""}]
    assert authorize(provider.url(TENANT), key, signing_in(seen, before=others))
    assert [answer.status_code for answer in seen] == [404, 404, 404, 200]


def test_another_issuer_answers(provider, key):
    error = refusal(provider.url(TENANT), key, signing_in([], iss="https://mallory.example"))
    assert error.code == "session.flow"


def test_no_code(provider, key):
    assert refusal(provider.url(TENANT), key, signing_in([], code=None)).code == "session.flow"


def test_a_code_that_is_none(provider, key):
    error = refusal(provider.url(TENANT), key, signing_in([], code="nothing"))
    assert (error.code, error.detail) == ("issuer.answer", "it answers with HTTP 400")


def test_the_issuer_says_no(provider, key):
    seen = []
    error = refusal(provider.url(TENANT), key, signing_in(seen, code=None, error="access_denied"))
    assert (error.code, error.detail) == ("session.flow", "the issuer says 'access_denied'")
    assert "did not work" in seen[0].text


def test_nobody_signs_in(provider, key):
    error = refusal(provider.url(TENANT), key, lambda url: None, wait_s=0.05)
    assert (error.code, error.detail) == ("session.flow", "nobody signed in within 0 s")


def test_a_connection_that_says_nothing_does_not_hold_others_up(provider, key, monkeypatch):
    """Browsers open connections ahead, and use them later or never."""
    monkeypatch.setattr(sign_in._Handler, "timeout", 0.2)

    def browse(url):
        port = httpx2.URL(httpx2.URL(url).params["redirect_uri"]).port
        with socket.create_connection(("127.0.0.1", port)):
            signing_in([])(url)

    assert authorize(provider.url(TENANT), key, browse)


def test_an_issuer_that_is_not_there(key):
    assert refusal("http://127.0.0.1:9", key, lambda url: None).code == "issuer.unreachable"
    assert refusal("http://issuer.example", key, lambda url: None).code == "issuer.url"


def test_nothing_is_written_to_the_terminal(provider, key, capfd):
    authorize(provider.url(TENANT), key, signing_in([]))
    assert capfd.readouterr() == ("", "")
