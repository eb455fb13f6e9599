"""Access tokens, and an OIDC issuer for federation. Both sign for real: a forged token is told from a good one."""

from __future__ import annotations

import threading
import time
import typing as t
import uuid

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

FEDERATION_AUDIENCE = "api://AzureADTokenExchange"
# Of the tokens that are given out, in seconds.
LIFETIME = 3599

# Options for PyJWT: times and names are checked elsewhere, with an answer for each.
SIGNATURE_ONLY: t.Any = {f"verify_{name}": False for name in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")}

Claims = dict[str, t.Any]


# It stands among the roles of every app-only token of Graph, and is none.
NO_ROLE = "0997a1d0-0d1d-4acb-b408-d5ca73121e90"


class InvalidTokenError(Exception):
    """The token was not signed here."""


class SigningKey:
    """An RSA key under a key id."""

    def __init__(self) -> None:
        self._private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._public = self._private.public_key()
        self.key_id = uuid.uuid4().hex

    def sign(self, claims: Claims) -> str:
        return jwt.encode(claims, self._private, algorithm="RS256", headers={"kid": self.key_id})

    def verify(self, token: str) -> Claims:
        """The claims of a token signed with this key, whatever its times and audience."""
        try:
            return dict(jwt.decode(token, self._public, algorithms=["RS256"], options=SIGNATURE_ONLY))
        except jwt.PyJWTError as exc:
            raise InvalidTokenError(str(exc)) from exc


class AccessTokens:
    """Mints access tokens for Graph and remembers those that it has verified."""

    def __init__(self) -> None:
        self.key = SigningKey()
        self._lock = threading.Lock()
        self._verified: dict[str, Claims] = {}

    def mint(self, *, now: float, tenant_id: str, audience: str, expires_in: float, extra: Claims) -> str:
        """A new token; `expires_in` seconds may be negative."""
        claims = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{tenant_id}/",
            "tid": tenant_id,
            "iat": int(now),
            "nbf": int(now),
            "exp": int(now + expires_in),
            "uti": uuid.uuid4().hex,
            "ver": "1.0",
            **extra,
        }
        return self.key.sign(claims)

    def verify(self, token: str) -> Claims:
        """The claims of a token of ours."""
        with self._lock:
            claims = self._verified.get(token)
        if claims is None:
            claims = self.key.verify(token)
            with self._lock:
                self._verified[token] = claims
        return claims


def app_claims(client_id: str, object_id: str, roles: t.Sequence[str]) -> Claims:
    """What an app-only token of Graph says of the app. Without permissions there is no claim of them."""
    return {
        "app_displayname": f"App {client_id[:8]}",
        "appid": client_id,
        "idtyp": "app",
        "oid": object_id,
        "sub": object_id,
        "wids": [NO_ROLE],
        **({"roles": list(roles)} if roles else {}),
    }


def claimed_tenant(token: str) -> str | None:
    """The tenant that a token names, true or not: enough to put the request into the right journal."""
    try:
        return t.cast("str | None", jwt.decode(token, options={"verify_signature": False}).get("tid"))
    except (jwt.PyJWTError, ValueError):
        return None


class OidcIssuer:
    """Stands for GitHub Actions, Kubernetes and the like: signs the tokens that an app registration trusts."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.key = SigningKey()

    def mint(
        self, subject: str, *, issuer: str | None = None, audience: str = FEDERATION_AUDIENCE, expires_in: float = 300
    ) -> str:
        """An OIDC token; `expires_in` seconds may be negative."""
        now = int(time.time())
        return self.key.sign(
            {
                "iss": issuer or self.url,
                "sub": subject,
                "aud": audience,
                "iat": now,
                "nbf": now - 1,
                "exp": int(now + expires_in),
                "jti": uuid.uuid4().hex,
            }
        )
