"""The control plane: what tests do in Python, over JSON, for playbooks and other programs."""

from __future__ import annotations

import base64
import dataclasses
import re
import typing as t

from .apps import App
from .faults import Fault
from .records import Principal
from .tenant import IDENTITY_HEADER, Tenant
from .web import Answer, Request

if t.TYPE_CHECKING:
    from .emulator import Emulator

PFX_PASSWORD = "pfx-password"  # protects nothing but throw-away keys

Values = dict[str, t.Any]


@dataclasses.dataclass(frozen=True)
class _Adding:
    """How to add one thing to a tenant, and how to add many."""

    one: t.Callable[..., Principal | Values]
    many: t.Callable[..., list[str]]


@dataclasses.dataclass(frozen=True)
class _Kind(_Adding):
    """What else can be done with a kind of principal."""

    find: t.Callable[[Tenant, str], Principal]
    change: t.Callable[..., Principal]
    all: t.Callable[[Tenant], list[Principal]]


_PRINCIPALS: t.Mapping[str, _Kind] = {
    "users": _Kind(
        one=Tenant.add_user,
        many=Tenant.add_users,
        find=Tenant.user,
        change=Tenant.change_user,
        all=lambda tenant: tenant.users,
    ),
    "service_principals": _Kind(
        one=Tenant.add_service_principal,
        many=Tenant.add_service_principals,
        find=Tenant.service_principal,
        change=Tenant.change_service_principal,
        all=lambda tenant: tenant.service_principals,
    ),
}
_DETECTIONS = _Adding(one=Tenant.add_detection, many=Tenant.add_detections)


class ControlPlane:
    """Answers `/control/...`. Wrong input is a 400 with `error`, an unknown thing a 404."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def serve(self, request: Request) -> Answer:
        """The answer to any request."""
        path = request.path[len("/control") :]
        body: t.Any = {}
        try:
            if request.get_data():
                body = request.json_data()
            for method, pattern, handler in _ROUTES:
                match = re.fullmatch(pattern, path)
                if match is None or method != request.method:
                    continue
                words = match.groupdict()
                if "tenant" in words:
                    tenant = self._emulator.find_tenant(words.pop("tenant"))
                    if tenant is None:
                        raise LookupError("no such tenant")
                    data = handler(self, tenant, body, **words)
                else:
                    data = handler(self, body)
                return Answer(status=204) if data is None else Answer.of_json(200, data)
        except LookupError as exc:
            return Answer.of_json(404, {"error": str(exc)})
        except (TypeError, ValueError, re.error) as exc:
            return Answer.of_json(400, {"error": str(exc)})
        return Answer.of_json(404, {"error": f"no {request.method} {path}"})

    def _describe_emulator(self, body: Values) -> Values:
        return describe(self._emulator)

    def _emulator_journal(self, body: Values) -> Values:
        journal = self._emulator.journal
        return {"entries": journal.entries, "summary": journal.summary()}

    def _clear_emulator_journal(self, body: Values) -> None:
        self._emulator.journal.clear()

    def _violations(self, body: Values) -> list[Values]:
        return self._emulator.violations

    def _clear_violations(self, body: Values) -> None:
        self._emulator.clear_violations()

    def _add_tenant(self, body: Values) -> Values:
        apps = [dict(arguments) for arguments in body.pop("apps", [{}])]
        identities = body.pop("identities", [])
        principals = {kind: body.pop(kind, []) for kind in _PRINCIPALS}
        detections = body.pop("detections", [])
        tokens = body.pop("tokens", [])
        faults = body.pop("faults", [])
        switches = body.pop("switches", {})
        tenant = self._emulator.add_tenant(**body, **switches)
        try:
            return {
                **describe(self._emulator),
                "id": tenant.id,
                "domain": tenant.domain,
                "machine_url": tenant.machine_url,
                "identity_header": IDENTITY_HEADER,
                "apps": [_app(tenant.add_app(**arguments)) for arguments in apps],
                "identities": [_app(tenant.add_identity(**arguments)) for arguments in identities],
                **{kind: self._add_each(tenant, _PRINCIPALS[kind], entries) for kind, entries in principals.items()},
                "detections": self._add_each(tenant, _DETECTIONS, detections),
                "tokens": [tenant.mint_token(**arguments) for arguments in tokens],
                "faults": [_fault(tenant.add_fault(**arguments)) for arguments in faults],
            }
        except Exception:
            # Half a tenant would make the next try fail for another reason.
            self._emulator.remove_tenant(tenant)
            raise

    def _remove_tenant(self, tenant: Tenant, body: Values) -> None:
        self._emulator.remove_tenant(tenant)

    def _journal(self, tenant: Tenant, body: Values) -> Values:
        return {"entries": tenant.journal.entries, "summary": tenant.journal.summary()}

    def _clear_journal(self, tenant: Tenant, body: Values) -> None:
        tenant.journal.clear()

    def _switches(self, tenant: Tenant, body: Values) -> Values:
        return dataclasses.asdict(tenant.switches)

    def _change_switches(self, tenant: Tenant, body: Values) -> Values:
        tenant.switches.update(body)
        return dataclasses.asdict(tenant.switches)

    def _faults(self, tenant: Tenant, body: Values) -> list[Values]:
        return [_fault(fault) for fault in tenant.faults]

    def _add_fault(self, tenant: Tenant, body: Values) -> Values:
        return _fault(tenant.add_fault(**body))

    def _clear_faults(self, tenant: Tenant, body: Values) -> None:
        tenant.clear_faults()

    def _principals(self, tenant: Tenant, body: Values, kind: str) -> list[Values]:
        return [_plain(principal) for principal in _PRINCIPALS[kind].all(tenant)]

    def _add_principal(self, tenant: Tenant, body: t.Any, kind: str) -> t.Any:
        return self._add(tenant, _PRINCIPALS[kind], body)

    def _principal(self, tenant: Tenant, body: Values, kind: str, key: str) -> Values:
        return _plain(_PRINCIPALS[kind].find(tenant, key))

    def _change_principal(self, tenant: Tenant, body: Values, kind: str, key: str) -> Values:
        return _plain(_PRINCIPALS[kind].change(tenant, key, **body))

    def _detections(self, tenant: Tenant, body: Values) -> list[Values]:
        return tenant.detections

    def _add_detection(self, tenant: Tenant, body: t.Any) -> t.Any:
        return self._add(tenant, _DETECTIONS, body)

    def _add(self, tenant: Tenant, adding: _Adding, body: t.Any) -> t.Any:
        """Add one thing, or a list of them."""
        if isinstance(body, list):
            return self._add_each(tenant, adding, body)
        return self._add_each(tenant, adding, [body])[0]

    def _add_each(self, tenant: Tenant, adding: _Adding, entries: t.Sequence[Values]) -> list[t.Any]:
        """One answer for each entry; an entry with `count` stands for that many and answers their ids."""
        return [
            adding.many(tenant, **arguments) if "count" in arguments else _plain(adding.one(tenant, **arguments))
            for arguments in entries
        ]

    def _add_app(self, tenant: Tenant, body: Values) -> Values:
        return _app(tenant.add_app(**body))

    def _add_identity(self, tenant: Tenant, body: Values) -> Values:
        return _app(tenant.add_identity(**body))

    def _mint_token(self, tenant: Tenant, body: Values) -> Values:
        return {"access_token": tenant.mint_token(**body)}

    def _mint_oidc(self, tenant: Tenant, body: Values) -> Values:
        return {"oidc_token": tenant.mint_oidc(**body)}

    def _revoke(self, tenant: Tenant, body: Values) -> None:
        tenant.revoke_tokens()


def describe(emulator: Emulator) -> Values:
    """Where everything is."""
    return {
        "login_url": emulator.login_url,
        "graph_url": emulator.graph_url,
        "plain_url": emulator.plain_url,
        "control_url": emulator.control_url,
        "oidc_issuer": emulator.oidc.url,
        "ca_path": emulator.ca_path,
        "ca_dir": emulator.ca_dir,
    }


def _plain(added: Principal | Values) -> Values:
    return dataclasses.asdict(added) if isinstance(added, Principal) else added


def _fault(fault: Fault) -> Values:
    return {"name": fault.label, "seen": fault.seen, "fired": fault.fired}


def _app(app: App) -> Values:
    data: Values = {
        "client_id": app.client_id,
        "object_id": app.object_id,
        "secret": app.secret,
        "roles": list(app.roles),
    }
    if app.key_pair is not None:
        data["certificate"] = {
            "pem": app.key_pair.pem(),
            "encrypted_pem": app.key_pair.pem(PFX_PASSWORD),
            "key_pem": app.key_pair.key_pem(),
            "thumbprint": app.key_pair.thumbprint,
            "pfx": base64.b64encode(app.key_pair.pfx()).decode(),
            "encrypted_pfx": base64.b64encode(app.key_pair.pfx(PFX_PASSWORD)).decode(),
            "password": PFX_PASSWORD,
        }
    return data


_TENANT = r"/tenants/(?P<tenant>[^/]+)"
_KIND = rf"{_TENANT}/(?P<kind>{'|'.join(_PRINCIPALS)})"
_PRINCIPAL = rf"{_KIND}/(?P<key>[^/]+)"
_ROUTES: t.Sequence[tuple[str, str, t.Callable[..., t.Any]]] = (
    ("GET", "/", ControlPlane._describe_emulator),
    ("GET", "/journal", ControlPlane._emulator_journal),
    ("DELETE", "/journal", ControlPlane._clear_emulator_journal),
    ("GET", "/violations", ControlPlane._violations),
    ("DELETE", "/violations", ControlPlane._clear_violations),
    ("POST", "/tenants", ControlPlane._add_tenant),
    ("DELETE", _TENANT, ControlPlane._remove_tenant),
    ("GET", f"{_TENANT}/journal", ControlPlane._journal),
    ("DELETE", f"{_TENANT}/journal", ControlPlane._clear_journal),
    ("GET", f"{_TENANT}/switches", ControlPlane._switches),
    ("PATCH", f"{_TENANT}/switches", ControlPlane._change_switches),
    ("GET", f"{_TENANT}/faults", ControlPlane._faults),
    ("POST", f"{_TENANT}/faults", ControlPlane._add_fault),
    ("DELETE", f"{_TENANT}/faults", ControlPlane._clear_faults),
    ("GET", _KIND, ControlPlane._principals),
    ("POST", _KIND, ControlPlane._add_principal),
    ("GET", _PRINCIPAL, ControlPlane._principal),
    ("PATCH", _PRINCIPAL, ControlPlane._change_principal),
    ("GET", f"{_TENANT}/detections", ControlPlane._detections),
    ("POST", f"{_TENANT}/detections", ControlPlane._add_detection),
    ("POST", f"{_TENANT}/apps", ControlPlane._add_app),
    ("POST", f"{_TENANT}/identities", ControlPlane._add_identity),
    ("POST", f"{_TENANT}/tokens", ControlPlane._mint_token),
    ("POST", f"{_TENANT}/oidc_tokens", ControlPlane._mint_oidc),
    ("POST", f"{_TENANT}/revoke", ControlPlane._revoke),
)
