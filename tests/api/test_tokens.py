"""ID tokens of a real provider: those for us count, those of others, for others, for another key or time do not."""

import asyncio
import base64
import hmac
import json

import httpx2
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from tests.foreign.oidc import Provider, jwks

from hansa.api import issuer_keys, tokens
from hansa.api.issuer_keys import REFETCH_S, WAITING_MAX, IssuerKeys
from hansa.client.discovery import DOCUMENT_BYTES_MAX
from hansa.governance.issuer import Issuer, Rule, conferred
from hansa.wire.problems import HansaError
from hansa.wire.session import nonce_of

NORTH, SOUTH = "/north/v2.0", "/south/v2.0"
TENANTS = {
    NORTH: {"jwks": jwks("north"), "claims": {"tid": "tenant-north"}, "groups": {"alice": ["payers", "others"]}},
    SOUTH: {"jwks": jwks("south"), "claims": {"tid": "tenant-south"}},
}


@pytest.fixture(scope="module")
def provider():
    made = Provider(TENANTS)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def key(make_key):
    return make_key("es256", "session")


@pytest.fixture(scope="module")
def token(provider, key):
    """Alice's, of the northern tenant, for the session key."""
    return provider.token(NORTH, "alice", nonce_of(key.public.spki))


@pytest.fixture(scope="module")
def north_keys(provider):
    return keys_of(provider, NORTH)


@pytest.fixture(scope="module")
def north(provider):
    return issuer(provider, NORTH, "tenant-north")


def issuer(provider, tenant, tid, **fields):
    usual = {"audience": "hansa", "algorithms": ["RS256"], "rules": [Rule("groups", "payers", "may:pay")]}
    return Issuer(id="i", member="northbank", url=provider.url(tenant), tenant=tid, **{**usual, **fields})


def keys_of(provider, tenant):
    return tokens.read_keys(httpx2.get(f"{provider.url(tenant)}/jwks").content)


def claims_of(token):
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def issued(token):
    return claims_of(token)["iat"] * 1000


def forged(token, header=None, key=None, **claims):
    """The token with other claims, signed by whoever forges it."""
    made = {**claims_of(token), **claims}
    key = key or RSAKey.import_key(jwks("mallory")["keys"][0])
    header = {name: value for name, value in {"alg": "RS256", "kid": "north-rsa", **(header or {})}.items() if value}
    return jwt.encode(header, {n: v for n, v in made.items() if v is not None}, key, algorithms=[header["alg"]])


def signed(token, header=None, **claims):
    """The token as its own issuer would sign it with other claims."""
    return forged(token, header, RSAKey.import_key(jwks("north")["keys"][0]), **claims)


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


# What counts


def test_a_token_for_this_key_says_who_and_until_when(token, north, north_keys, key):
    found = tokens.verify(tokens.read(token), north, north_keys, key.public.spki, issued(token))
    claims = claims_of(token)
    assert (found.subject, found.tenant, found.until) == ("alice", "tenant-north", claims["exp"] * 1000)
    assert found.claims == claims
    assert conferred(north, found.claims) == ["may:pay"]


def test_es256(provider, key, north_keys):
    text = provider.token(NORTH, "alice", nonce_of(key.public.spki), client="hansa-es")
    one = issuer(provider, NORTH, "tenant-north", audience="hansa-es", algorithms=["ES256"])
    assert tokens.verify(tokens.read(text), one, north_keys, key.public.spki, issued(text)).subject == "alice"


def test_the_issuer_of_a_token_is_found_among_others(provider, token, north):
    others = [issuer(provider, SOUTH, "tenant-south"), issuer(provider, NORTH, "tenant-north", audience="another")]
    assert tokens.issuer_of(tokens.read(token), [*others, north]) is north


def test_a_session_lasts_no_longer_than_a_day(token, north, north_keys, key):
    long = signed(token, exp=claims_of(token)["iat"] + 10 * 86_400)
    found = tokens.verify(tokens.read(long), north, north_keys, key.public.spki, issued(token))
    assert found.until == issued(token) + 86_400_000


# What does not


def refusal_of(text, issuer, keys, spki, now):
    with pytest.raises(HansaError) as caught:
        tokens.verify(tokens.read(text), issuer, keys, spki, now)
    return caught.value.code


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"aud": "another"}, "token.audience"),
        ({"aud": ["another", "hansa"]}, "token.audience"),
        ({"aud": ["another", "hansa"], "azp": "another"}, "token.audience"),
        ({"azp": "another"}, "token.audience"),
        ({"iss": "https://login.example/north"}, "token.issuer"),
        ({"tid": "tenant-south"}, "token.tenant"),
        ({"tid": None}, "token.tenant"),
        ({"nonce": "another"}, "token.nonce"),
        ({"nonce": None}, "token.form"),
        ({"exp": None}, "token.form"),
        ({"iat": None}, "token.form"),
        ({"sub": ""}, "token.form"),
    ],
)
def test_well_signed_claims_that_are_not_ours(token, north, north_keys, key, change, code):
    assert refusal_of(signed(token, **change), north, north_keys, key.public.spki, issued(token)) == code


def test_a_list_of_audiences_counts_where_we_asked_for_it(token, north, north_keys, key):
    text = signed(token, aud=["another", "hansa"], azp="hansa")
    assert tokens.verify(tokens.read(text), north, north_keys, key.public.spki, issued(token)).subject == "alice"


@pytest.mark.parametrize(("age", "counts"), [(-61, False), (-60, True), (0, True), (3_600, True), (3_601, False)])
def test_how_old_a_token_may_be(token, north, north_keys, key, age, counts):
    """A minute in the future is forgiven; an hour after it was made it is too old, though it has not ended."""
    text = signed(token, exp=claims_of(token)["iat"] + 7_200)
    now = issued(token) + age * 1000
    if counts:
        assert tokens.verify(tokens.read(text), north, north_keys, key.public.spki, now)
    else:
        assert refusal_of(text, north, north_keys, key.public.spki, now) == "token.time"


def test_an_ended_token(token, north, north_keys, key):
    end = claims_of(token)["exp"] * 1000
    assert tokens.verify(tokens.read(token), north, north_keys, key.public.spki, end - 1)
    assert refusal_of(token, north, north_keys, key.public.spki, end) == "token.time"


def test_not_before(token, north, north_keys, key):
    text = signed(token, nbf=claims_of(token)["iat"] + 120)
    assert refusal_of(text, north, north_keys, key.public.spki, issued(token) + 59_999) == "token.time"
    assert tokens.verify(tokens.read(text), north, north_keys, key.public.spki, issued(token) + 60_000)


def test_another_key_than_the_token_is_for(token, north, north_keys, make_key):
    other = make_key("es256", "mallory").public.spki
    assert refusal_of(token, north, north_keys, other, issued(token)) == "token.nonce"


def test_a_token_of_another_tenant_with_an_equal_subject(provider, key, north):
    text = provider.token(SOUTH, "alice", nonce_of(key.public.spki))
    assert claims_of(text)["sub"] == "alice"
    keys = keys_of(provider, SOUTH)
    assert refusal_of(text, north, keys, key.public.spki, issued(text)) == "token.issuer"


def test_equal_subjects_of_two_tenants_are_two_persons(provider, key, north, north_keys, token):
    text = provider.token(SOUTH, "alice", nonce_of(key.public.spki))
    south = issuer(provider, SOUTH, "tenant-south")
    one = tokens.verify(tokens.read(token), north, north_keys, key.public.spki, issued(token))
    other = tokens.verify(tokens.read(text), south, keys_of(provider, SOUTH), key.public.spki, issued(text))
    assert one.subject == other.subject
    secret = b"s" * 32
    assert tokens.pseudonym(secret, one) == tokens.pseudonym(secret, one)
    assert tokens.pseudonym(secret, one) != tokens.pseudonym(secret, other)
    assert tokens.pseudonym(b"t" * 32, one) != tokens.pseudonym(secret, one)
    # one URL for several tenants: the tenant alone makes the difference
    shared = tokens.Verified(north, "tenant-south", one.subject, one.until, one.digest, one.claims)
    assert tokens.pseudonym(secret, shared) != tokens.pseudonym(secret, one)


def test_forged_with_another_key_of_the_same_name(token, north, north_keys, key):
    assert refusal_of(forged(token), north, north_keys, key.public.spki, issued(token)) == "token.signature"


def test_each_character_of_a_signature_and_claims_counts(token, north, north_keys, key):
    head, body, signature = token.split(".")
    changed = f"{head}.{body}.{signature[:9]}{'A' if signature[9] != 'A' else 'B'}{signature[10:]}"
    assert refusal_of(changed, north, north_keys, key.public.spki, issued(token)) == "token.signature"
    other = f"{head}.{part({**claims_of(token), 'sub': 'bob'})}.{signature}"
    assert refusal_of(other, north, north_keys, key.public.spki, issued(token)) == "token.signature"


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE"])
def test_no_signature(token, north, north_keys, key, name):
    text = f"{part({'alg': name, 'kid': 'north-rsa'})}.{token.split('.')[1]}."
    assert refusal_of(text, north, north_keys, key.public.spki, issued(token)) == "token.algorithm"


def test_the_public_key_as_a_shared_secret(token, north, north_keys, key):
    """The classic: HS256, keyed with the text of the key that everybody may read."""
    for secret in (north_keys[0].key.as_pem(private=False), json.dumps(north_keys[0].key.as_dict()).encode()):
        told = f"{part({'alg': 'HS256', 'kid': 'north-rsa'})}.{token.split('.')[1]}"
        mark = base64.urlsafe_b64encode(hmac.digest(secret, told.encode(), "sha256")).rstrip(b"=").decode()
        text = f"{told}.{mark}"
        assert refusal_of(text, north, north_keys, key.public.spki, issued(token)) == "token.algorithm"


def test_a_real_token_with_a_shared_secret(provider, key, north_keys):
    text = provider.token(
        NORTH,
        "alice",
        nonce_of(key.public.spki),
        client="shared-secret",
        client_secret="a secret that both sides know, and so both can sign with it",
    )
    one = issuer(provider, NORTH, "tenant-north", audience="shared-secret", algorithms=["HS256", "RS256"])
    assert refusal_of(text, one, north_keys, key.public.spki, issued(text)) == "token.algorithm"


def test_an_algorithm_that_the_ledger_does_not_name(provider, key, north_keys):
    text = provider.token(NORTH, "alice", nonce_of(key.public.spki), client="hansa-es")
    one = issuer(provider, NORTH, "tenant-north", audience="hansa-es", algorithms=["RS256"])
    assert refusal_of(text, one, north_keys, key.public.spki, issued(text)) == "token.algorithm"


def test_a_key_for_one_algorithm_serves_no_other(token, north, north_keys, key):
    text = forged(token, {"alg": "PS256"}, RSAKey.import_key({**jwks("north")["keys"][0], "alg": "PS256"}))
    one = msgspec.structs.replace(north, algorithms=["PS256"])
    assert refusal_of(text, one, north_keys, key.public.spki, issued(token)) == "token.unknown_key"


def test_a_key_that_comes_with_the_token_counts_for_nothing(token, north, north_keys, key):
    mine = ECKey.import_key({**jwks("mallory")["keys"][1], "kid": "mine"})
    header = {"alg": "ES256", "kid": "mine", "jwk": mine.as_dict(private=False), "jku": "https://mallory.example/keys"}
    one = msgspec.structs.replace(north, algorithms=["RS256", "ES256"])
    text = forged(token, header, mine)
    assert refusal_of(text, one, north_keys, key.public.spki, issued(token)) == "token.unknown_key"


@pytest.mark.parametrize("header", [{"typ": "at+jwt"}, {"typ": "logout+jwt"}, {"crit": ["exp"]}, {"b64": False}])
def test_a_token_for_something_else(token, north, north_keys, key, header):
    text = f"{part({'alg': 'RS256', 'kid': 'north-rsa', **header})}.{token.split('.', 1)[1]}"
    assert refusal_of(text, north, north_keys, key.public.spki, issued(token)) == "token.form"


def test_a_removed_issuer(provider, token, north_keys, key):
    one = issuer(provider, NORTH, "tenant-north", removed=True)
    assert refusal_of(token, one, north_keys, key.public.spki, issued(token)) == "token.issuer"


def test_a_token_without_the_name_of_its_key(token, north, north_keys, key):
    """It counts where only one key could be meant, and is not tried with each where there are several."""
    text = signed(token, header={"kid": None})
    assert tokens.read(text).kid is None
    rsa = [one for one in north_keys if one.algorithm == "RS256"]
    assert tokens.verify(tokens.read(text), north, rsa, key.public.spki, issued(token)).subject == "alice"
    assert refusal_of(text, north, rsa * 2, key.public.spki, issued(token)) == "token.signature"


@settings(max_examples=200, derandomize=True)
@given(st.one_of(st.text(max_size=200), st.lists(st.text("abcXYZ019-_=", max_size=40), max_size=5).map(".".join)))
def test_anything_else_is_no_token(text):
    with pytest.raises(HansaError) as caught:
        tokens.read(text)
    assert caught.value.code in ("token.form", "token.algorithm")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = ("iss", "sub", "aud", "exp", "iat", "nbf", "nonce", "azp", "tid", "alg", "kid", "typ")


@settings(max_examples=300, derandomize=True)
@given(header=st.dictionaries(st.sampled_from(NAMES), JSON), claims=st.dictionaries(st.sampled_from(NAMES), JSON))
def test_claims_of_any_form_are_refused_and_nothing_else(header, claims):
    usual = {"iss": "i", "sub": "s", "aud": "a", "exp": 2, "iat": 1, "nonce": "n"}
    text = f"{part({'alg': 'RS256', **header})}.{part({**usual, **claims})}.AAAA"
    try:
        tokens.read(text)
    except HansaError as error:
        assert error.code in ("token.form", "token.algorithm")


# Keys


def test_keys_that_cannot_count_are_passed_over():
    good = jwks("north")["keys"][0]
    given = [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "shared"},
        {**good, "use": "enc"},
        {**good, "kid": 7},
        {**good, "n": good["n"][:170], "kid": "weak"},
        {"kty": "RSA", "kid": "nothing"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "EC", "crv": "P-999", "x": "AA", "y": "AA"},
        {"kty": ["RSA"]},
        {},
        good,
    ]
    found = tokens.read_keys(json.dumps({"keys": given}).encode())
    assert [one.kid for one in found] == ["north-rsa"]
    assert not found[0].key.is_private


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"keys": {}}', b'{"keys": [1]}', b"[" * 5000])
def test_what_is_no_key_set(refused, data):
    with refused("issuer.answer"):
        tokens.read_keys(data)


# Fetching


class Web:
    """Answers by URL; it counts how often each was asked for."""

    def __init__(self, pages):
        self.pages, self.asked = pages, []

    def __call__(self, request):
        self.asked.append(str(request.url))
        page = self.pages[str(request.url)]
        if isinstance(page, Exception):
            raise page
        return page if isinstance(page, httpx2.Response) else httpx2.Response(200, content=page)

    def client(self):
        return httpx2.AsyncClient(transport=httpx2.MockTransport(self))


ISSUER = "https://issuer.example/v2.0"
PLACE = f"{ISSUER}/.well-known/openid-configuration"
KEYS = "https://keys.example/all?app=1"


def document(issuer=ISSUER, keys=KEYS):
    ends = {"authorization_endpoint": f"{ISSUER}/auth", "token_endpoint": f"{ISSUER}/token"}
    return json.dumps({"issuer": issuer, "jwks_uri": keys, **ends}).encode()


def key_set(name):
    return json.dumps(jwks(name)).encode()


def fetch(pages, url=ISSUER):
    async def run():
        async with Web(pages).client() as client:
            return await IssuerKeys(client).of(url)

    return asyncio.run(run())


def test_keys_are_found_by_discovery_at_the_real_provider(provider):
    async def run():
        async with issuer_keys.own_client() as client:
            return await IssuerKeys(client).of(provider.url(NORTH))

    assert {one.kid for one in asyncio.run(run())} == {"north-rsa", "north-ec"}


def test_rotated_keys_are_fetched_when_a_token_names_one(provider, key):
    """An old token stays good while its key is published; one under a new key has the keys fetched again."""
    now = [0.0]
    spki = key.public.spki
    one = issuer(provider, NORTH, "tenant-north")

    async def run():
        async with issuer_keys.own_client() as client:
            keys = IssuerKeys(client, lambda: now[0])
            await keys.of(one.url)
            rotated = {"keys": [*jwks("next")["keys"], *jwks("north")["keys"]]}
            provider.restart({**TENANTS, NORTH: {**TENANTS[NORTH], "jwks": rotated}})
            text = provider.token(NORTH, "alice", nonce_of(spki))
            asked = tokens.read(text)
            assert asked.kid == "next-rsa"
            for seconds, known in ((1.0, False), (59.0, False), (61.0, True)):
                now[0] = seconds
                found = await keys.newer(one.url)
                if known:
                    assert tokens.verify(asked, one, found, spki, issued(text)).subject == "alice"
                else:
                    assert refusal_of(text, one, found, spki, issued(text)) == "token.unknown_key"

    try:
        asyncio.run(run())
    finally:
        provider.restart(TENANTS)


def test_keys_serve_for_an_hour():
    web, now = Web({PLACE: document(), KEYS: key_set("north")}), [0.0]

    async def run():
        async with web.client() as client:
            keys = IssuerKeys(client, lambda: now[0])
            for now[0], asked in ((0.0, 2), (3_599.0, 2), (3_600.0, 4)):
                await keys.of(ISSUER)
                assert len(web.asked) == asked

    asyncio.run(run())


def test_who_signs_in_at_once_shares_one_answer():
    web = Web({PLACE: document(), KEYS: key_set("north")})

    async def run():
        async with web.client() as client:
            keys = IssuerKeys(client)
            await asyncio.gather(*(keys.of(ISSUER) for _ in range(20)))

    asyncio.run(run())
    assert web.asked == [PLACE, KEYS]


def test_an_issuer_that_hangs_holds_up_nobody_of_another(refused):
    """Whatever is shown for it: its places are full, others' are free, and so is who needs none of its answers."""
    web, now, hangs = Web({PLACE: document(), KEYS: key_set("north")}), [0.0], asyncio.Event()
    other = "https://other.example"

    async def hung(request):
        if hangs.is_set() and str(request.url) == PLACE:
            await asyncio.Event().wait()
        return web(request)

    async def run():
        end = {"authorization_endpoint": f"{other}/auth", "token_endpoint": f"{other}/token"}
        described = json.dumps({"issuer": other, "jwks_uri": KEYS, **end}).encode()
        web.pages[f"{other}/.well-known/openid-configuration"] = described
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(hung)) as client:
            keys = IssuerKeys(client, lambda: now[0])
            known = await keys.of(ISSUER)
            hangs.set()
            now[0] = REFETCH_S
            waiting = [asyncio.create_task(keys.newer(ISSUER)) for _ in range(WAITING_MAX)]
            await asyncio.sleep(0)
            with refused("session.full"):
                await keys.newer(ISSUER)
            assert await keys.of(ISSUER) == known
            assert await keys.of(other) == known
            for one in waiting:
                one.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
            hangs.clear()
            assert await keys.newer(ISSUER) == known, "places are free again"

    asyncio.run(run())


def test_a_failure_is_not_repeated_at_once(refused):
    web, now = Web({PLACE: httpx2.ConnectError("no")}), [0.0]

    async def run():
        async with web.client() as client:
            keys = IssuerKeys(client, lambda: now[0])
            for now[0], asked in ((0.0, 1), (4.9, 1), (5.0, 2)):
                with refused("issuer.unreachable"):
                    await keys.of(ISSUER)
                assert len(web.asked) == asked

    asyncio.run(run())


@pytest.mark.parametrize(
    ("pages", "code"),
    [
        ({PLACE: document("https://issuer.example/v2.0/")}, "issuer.answer"),
        ({PLACE: document(keys="http://keys.example/")}, "issuer.url"),
        ({PLACE: document(keys="http://127.0.0.1/keys")}, "issuer.url"),
        ({PLACE: document(keys="file:///etc/passwd")}, "issuer.url"),
        ({PLACE: b"{}"}, "issuer.answer"),
        ({PLACE: b"[" * 5_000}, "issuer.answer"),
        ({PLACE: httpx2.Response(302, headers={"location": KEYS})}, "issuer.answer"),
        ({PLACE: httpx2.Response(500)}, "issuer.answer"),
        ({PLACE: b" " * (DOCUMENT_BYTES_MAX + 1)}, "issuer.answer"),
        ({PLACE: httpx2.Response(200, headers={"content-encoding": "zstd"}, content=b"")}, "issuer.answer"),
        ({PLACE: document(), KEYS: b"nothing"}, "issuer.answer"),
        ({PLACE: document(), KEYS: httpx2.ReadTimeout("late")}, "issuer.unreachable"),
    ],
)
def test_what_an_issuer_may_not_answer(refused, pages, code):
    with refused(code):
        fetch(pages)


@pytest.mark.parametrize(
    "url",
    [
        "http://issuer.example",
        "http://127.0.0.1.example",
        "ftp://issuer.example",
        "https://",
        "https://me:secret@issuer.example",
        "https://issuer.example:99999",
        "issuer",
        "https://[::1",
    ],
)
def test_addresses_that_are_not_asked(refused, url):
    with refused("issuer.url"):
        fetch({}, url)


def test_an_issuer_that_never_ends(refused, monkeypatch):
    monkeypatch.setattr(issuer_keys, "FETCH_S_MAX", 0.05)

    class Slow(httpx2.AsyncByteStream):
        async def __aiter__(self):
            while True:
                await asyncio.sleep(0.01)
                yield b" "

    with refused("issuer.unreachable"):
        fetch({PLACE: httpx2.Response(200, stream=Slow())})
