"""The login service of Entra, as far as an app without a person needs it: discovery and client credentials."""

from __future__ import annotations

import base64
import hmac
import time
import typing as t
import uuid

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from .apps import App, FederatedRecord
from .tenant import Tenant
from .tokens import LIFETIME, SIGNATURE_ONLY, InvalidTokenError, OidcIssuer
from .web import Answer, Request

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ("PS256", "RS256")
# How far the clocks of two machines may be apart, in seconds.
SKEW = 300

_UNREGISTERED = "No matching federated identity record found for presented assertion {part} '{{value}}'."
# Status, error and text by AADSTS code. The words in braces are filled in.
FAILURES: t.Mapping[int, tuple[int, str, str]] = {
    50027: (401, "invalid_client", "JWT token is invalid or malformed."),
    70003: (400, "unsupported_grant_type", "The app requested an unsupported grant type '{value}'."),
    70011: (400, "invalid_scope", "The scope {value} is not valid."),
    90002: (400, "invalid_tenant", "Tenant '{tenant}' not found. Check to make sure you have the correct ID."),
    500011: (400, "invalid_resource", "The resource principal {value} was not found in the tenant {tenant}."),
    700016: (400, "unauthorized_client", "Application '{app}' was not found in the directory '{tenant}'."),
    700021: (401, "invalid_client", "Client assertion application identifier doesn't match 'client_id'."),
    700023: (401, "invalid_client", "Client assertion audience claim does not match Realm issuer."),
    700024: (401, "invalid_client", "Client assertion is not within its valid time range."),
    700027: (401, "invalid_client", "The certificate is not registered on application '{app}'. [Reason - {value}]"),
    **{
        code: (401, "invalid_client", _UNREGISTERED.format(part=part))
        for code, part in ((700211, "issuer"), (700212, "audience"), (700213, "subject"))
    },
    900144: (400, "invalid_request", "The request body must contain the following parameter: '{value}'."),
    900561: (400, "invalid_request", "The endpoint only accepts POST requests. Received a {value} request."),
    1002012: (400, "invalid_scope", "The scope {value} is not valid: it must end in /.default."),
    7000215: (401, "invalid_client", "Invalid client secret provided for app '{app}'."),
    7000216: (401, "invalid_client", "'client_assertion', 'client_secret' or 'request' is required."),
}


class LoginRefusedError(Exception):
    """The login fails with an AADSTS code."""

    def __init__(self, code: int, **words: str) -> None:
        super().__init__(code)
        self.code = code
        self.words = words


class LoginService:
    """Answers the requests to the login listener.

    :param find_tenant: gives the tenant of an id or a domain name, or None.
    :param graph_origins: the resources that tokens are given out for.
    """

    def __init__(
        self, *, find_tenant: t.Callable[[str], Tenant | None], graph_origins: t.Sequence[str], oidc: OidcIssuer
    ) -> None:
        self._find_tenant = find_tenant
        self._graph_origins = tuple(graph_origins)
        self._oidc = oidc

    def tenant_of(self, request: Request) -> Tenant | None:
        return self._find_tenant(request.segments[0])

    def serve(self, request: Request) -> Answer:
        name, dummy, rest = request.path.lstrip("/").partition("/")
        if (name, rest) == ("common", "discovery/instance"):
            return self._instance_discovery(request)
        tenant = self.tenant_of(request)
        try:
            if tenant is None:
                raise LoginRefusedError(90002)
            if rest in (".well-known/openid-configuration", "v2.0/.well-known/openid-configuration"):
                return self._configuration(request, tenant, name)
            if rest == "oauth2/v2.0/token":
                return self._token(request, tenant)
        except LoginRefusedError as exc:
            return refusal(exc, tenant=name)
        return Answer(status=404, content_type="text/html")

    def _instance_discovery(self, request: Request) -> Answer:
        host = request.host
        return Answer.of_json(
            200,
            {
                "tenant_discovery_endpoint": f"https://{host}/common/v2.0/.well-known/openid-configuration",
                "api-version": "1.1",
                "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
            },
        )

    def _configuration(self, request: Request, tenant: Tenant, name: str) -> Answer:
        base = f"https://{request.host}/{name}"
        return Answer.of_json(
            200,
            {
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "issuer": f"https://{request.host}/{tenant.id}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            },
        )

    def _token(self, request: Request, tenant: Tenant) -> Answer:
        if request.method != "POST":
            raise LoginRefusedError(900561, value=request.method)
        form = request.form
        for name in ("grant_type", "client_id", "scope"):
            if not form.get(name):
                raise LoginRefusedError(900144, value=name)
        if form["grant_type"] != "client_credentials":
            raise LoginRefusedError(70003, value=form["grant_type"])
        app = tenant.app(form["client_id"])
        if app is None or app.managed_identity:
            raise LoginRefusedError(700016, app=form["client_id"])
        self._authenticate(app, form, endpoint=f"https://{request.host}{request.raw_path}")
        audience = self._audience(form["scope"])
        return Answer.of_json(
            200,
            {
                "token_type": "Bearer",
                "expires_in": LIFETIME,
                "ext_expires_in": LIFETIME,
                "access_token": tenant.token_for(app, audience),
            },
            {"Cache-Control": "no-store, no-cache", "Pragma": "no-cache"},
        )

    def _audience(self, scope: str) -> str:
        # The library adds these; the service leaves them out of account.
        scopes = [word for word in scope.split() if word not in ("openid", "profile", "offline_access")]
        if len(scopes) != 1:
            raise LoginRefusedError(70011, value=scope)
        resource, dot, rest = scopes[0].rpartition("/.default")
        if not dot or rest:
            raise LoginRefusedError(1002012, value=scopes[0])
        if resource not in self._graph_origins:
            raise LoginRefusedError(500011, value=resource)
        return resource

    def _authenticate(self, app: App, form: t.Mapping[str, str], endpoint: str) -> None:
        words = {"app": app.client_id}
        if form.get("client_assertion"):
            if form.get("client_assertion_type") != ASSERTION_TYPE:
                raise LoginRefusedError(900144, value="client_assertion_type", **words)
            self._check_assertion(app, form["client_assertion"], endpoint)
        elif not form.get("client_secret"):
            raise LoginRefusedError(7000216, **words)
        elif app.secret is None or not hmac.compare_digest(app.secret.encode(), form["client_secret"].encode()):
            raise LoginRefusedError(7000215, **words)

    def _check_assertion(self, app: App, assertion: str, endpoint: str) -> None:
        try:
            header = jwt.get_unverified_header(assertion)
            claims = jwt.decode(assertion, options={"verify_signature": False})
        except (jwt.PyJWTError, ValueError):
            raise LoginRefusedError(50027) from None
        if claims.get("iss") == app.client_id:
            self._check_certificate_assertion(app, assertion, header, claims, endpoint)
        else:
            self._check_federated_assertion(app, assertion, claims)

    def _check_certificate_assertion(
        self, app: App, assertion: str, header: t.Mapping[str, t.Any], claims: t.Mapping[str, t.Any], endpoint: str
    ) -> None:
        words = {"app": app.client_id}
        certificate = _registered(app.certificates, header)
        if certificate is None:
            raise LoginRefusedError(700027, value="The key was not found.", **words)
        key: t.Any = certificate.public_key()
        try:
            jwt.decode(assertion, key, algorithms=list(ALGORITHMS), options=SIGNATURE_ONLY)
        except jwt.PyJWTError:
            raise LoginRefusedError(700027, value="The key used to sign does not fit", **words) from None
        if claims.get("sub") != app.client_id:
            raise LoginRefusedError(700021)
        if claims.get("aud") != endpoint:
            raise LoginRefusedError(700023)
        _check_times(claims)

    def _check_federated_assertion(self, app: App, assertion: str, claims: t.Mapping[str, t.Any]) -> None:
        records: t.Sequence[FederatedRecord] = app.federated
        # The order of the service: a wrong subject is told before a wrong audience.
        for code, field, claim in ((700211, "issuer", "iss"), (700213, "subject", "sub"), (700212, "audience", "aud")):
            records = [record for record in records if getattr(record, field) == claims.get(claim)]
            if not records:
                raise LoginRefusedError(code, value=str(claims.get(claim)))
        try:
            self._oidc.key.verify(assertion)
        except InvalidTokenError:
            raise LoginRefusedError(50027) from None
        _check_times(claims)


def _registered(certificates: t.Sequence[x509.Certificate], header: t.Mapping[str, t.Any]) -> x509.Certificate | None:
    """The registered certificate that a header names by its thumbprint."""
    wanted = {str(header[name]).rstrip("=") for name in ("x5t", "x5t#S256") if name in header}
    for certificate in certificates:
        # SHA-1 is what the older of the two header fields is made of.
        prints = (certificate.fingerprint(algorithm) for algorithm in (hashes.SHA1(), hashes.SHA256()))
        if wanted & {base64.urlsafe_b64encode(value).decode().rstrip("=") for value in prints}:
            return certificate
    return None


def _check_times(claims: t.Mapping[str, t.Any]) -> None:
    now = time.time()
    expires, begins = claims.get("exp"), claims.get("nbf", 0)
    if not isinstance(expires, (int, float)) or not isinstance(begins, (int, float)):
        raise LoginRefusedError(50027)
    if expires < now or begins > now + SKEW:
        raise LoginRefusedError(700024)


def refusal(exc: LoginRefusedError, *, tenant: str) -> Answer:
    """The usual error of Entra: the interesting things stand twice, in the text and beside it."""
    status, error, text = FAILURES[exc.code]
    trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
    stamp = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime())
    text = text.format(**{"tenant": tenant, "value": "", "app": "", **exc.words})
    data = {
        "error": error,
        "error_description": (
            f"AADSTS{exc.code}: {text}\r\nTrace ID: {trace}\r\nCorrelation ID: {correlation}\r\nTimestamp: {stamp}"
        ),
        "error_codes": [exc.code],
        "timestamp": stamp,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"https://login.microsoftonline.com/error?code={exc.code}",
    }
    return Answer.of_json(status, data, {"Cache-Control": "no-store, no-cache"})
