"""The control plane: what tests do in Python, over JSON, for playbooks and other programs."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from .apps import App
from .faults import Fault
from .journal import Journal
from .records import Principal
from .tenant import IDENTITY_HEADER, Tenant
from .web import Answer, Request

if t.TYPE_CHECKING:
    from .emulator import Emulator

PASSWORD = "pfx-password"  # protects nothing but throw-away keys

Values = dict[str, t.Any]


@dataclasses.dataclass(frozen=True)
class _Adding:
    """How to add one thing to a tenant, and how to add many; how to show one."""

    one: t.Callable[..., t.Any]
    many: t.Callable[..., list[str]] | None
    show: t.Callable[[t.Any], t.Any]

    def add(self, tenant: Tenant, body: t.Any) -> t.Any:
        return self.each(tenant, body) if isinstance(body, list) else self.each(tenant, [body])[0]

    def each(self, tenant: Tenant, entries: t.Sequence[Values]) -> list[t.Any]:
        """One answer for each entry; an entry with `count` stands for that many and answers their ids."""
        return [
            self.many(tenant, **entry) if self.many and "count" in entry else self.show(self.one(tenant, **entry))
            for entry in entries
        ]


def _fault(fault: Fault) -> Values:
    return {"name": fault.label, "seen": fault.seen, "fired": fault.fired}


def _app(app: App) -> Values:
    data: Values = {name: getattr(app, name) for name in ("client_id", "object_id", "secret", "roles")}
    if app.key_pair is not None:
        data["certificate"] = {"pem": app.key_pair.pem(), "encrypted_pem": app.key_pair.pem(PASSWORD)}
    return data


# In the order in which a new tenant gets them.
_PARTS: t.Mapping[str, _Adding] = {
    "apps": _Adding(Tenant.add_app, None, _app),
    "identities": _Adding(Tenant.add_identity, None, _app),
    "users": _Adding(Tenant.add_user, Tenant.add_users, dataclasses.asdict),
    "service_principals": _Adding(Tenant.add_service_principal, Tenant.add_service_principals, dataclasses.asdict),
    "groups": _Adding(Tenant.add_group, None, dataclasses.asdict),
    "roles": _Adding(Tenant.assign_role, None, dict),
    "detections": _Adding(Tenant.add_detection, Tenant.add_detections, dict),
    "service_principal_detections": _Adding(Tenant.add_service_principal_detection, None, dict),
    "tokens": _Adding(Tenant.mint_token, None, str),
    "faults": _Adding(Tenant.add_fault, None, _fault),
}
_FIND: t.Mapping[str, t.Callable[[Tenant, str], Principal]] = {
    "users": Tenant.user,
    "service_principals": Tenant.service_principal,
}
_CHANGE: t.Mapping[str, t.Callable[..., Principal]] = {
    "users": Tenant.change_user,
    "service_principals": Tenant.change_service_principal,
}


def describe(emulator: Emulator) -> Values:
    return {
        "login_url": emulator.login_url,
        "graph_url": emulator.graph_url,
        "plain_url": emulator.plain_url,
        "control_url": emulator.control_url,
        "oidc_issuer": emulator.oidc.url,
        "ca_path": emulator.ca_path,
        "ca_dir": emulator.ca_dir,
    }


def _add_tenant(emulator: Emulator, body: Values) -> Values:
    parts = {name: body.pop(name, [{}] if name == "apps" else []) for name in _PARTS}
    switches = body.pop("switches", {})
    tenant = emulator.add_tenant(**body, **switches)
    try:
        return {
            **describe(emulator),
            "id": tenant.id,
            "domain": tenant.domain,
            "machine_url": tenant.machine_url,
            "identity_header": IDENTITY_HEADER,
            **{name: _PARTS[name].each(tenant, entries) for name, entries in parts.items()},
        }
    except Exception:
        # Half a tenant would make the next try fail for another reason.
        emulator.remove_tenant(tenant)
        raise


def _tenant(emulator: Emulator, name: str) -> Tenant:
    tenant = emulator.find_tenant(name)
    if tenant is None:
        raise LookupError("no such tenant")
    return tenant


def _shown(journal: Journal) -> Values:
    return {"entries": journal.entries, "summary": journal.summary()}


def _change_switches(tenant: Tenant, body: Values) -> Values:
    tenant.switches.update(body)
    return dataclasses.asdict(tenant.switches)


_TENANT = "/tenants/<tenant>"
_KIND = f"{_TENANT}/<any({','.join(_FIND)}):kind>"
# Columns: method, path, and what answers: first the emulator, or the tenant that the path names, then the body, then
# what else the path holds. None is a 204.
_ROUTES: t.Sequence[tuple[str, str, t.Callable[..., t.Any]]] = (
    ("GET", "/", lambda emulator, body: describe(emulator)),
    ("POST", "/tenants", _add_tenant),
    ("DELETE", "/tenants/<name>", lambda emulator, body, name: emulator.remove_tenant(_tenant(emulator, name))),
    ("GET", f"{_TENANT}/journal", lambda tenant, body: _shown(tenant.journal)),
    ("DELETE", f"{_TENANT}/journal", lambda tenant, body: tenant.journal.clear()),
    ("PATCH", f"{_TENANT}/switches", _change_switches),
    ("GET", _KIND, lambda tenant, body, kind: [dataclasses.asdict(each) for each in getattr(tenant, kind)]),
    ("GET", f"{_KIND}/<key>", lambda tenant, body, kind, key: dataclasses.asdict(_FIND[kind](tenant, key))),
    ("PATCH", f"{_KIND}/<key>", lambda tenant, body, kind, key: dataclasses.asdict(_CHANGE[kind](tenant, key, **body))),
    ("POST", f"{_TENANT}/oidc_tokens", lambda tenant, body: {"oidc_token": tenant.mint_oidc(**body)}),
    *(
        ("POST", f"{_TENANT}/<any({name}):part>", lambda tenant, body, part: _PARTS[part].add(tenant, body))
        for name in _PARTS
        if name != "tokens"
    ),
)
_MAP = Map(
    [Rule(f"/control{path}", methods=[method], endpoint=answer) for method, path, answer in _ROUTES],
    merge_slashes=False,
)


class ControlPlane:
    """Answers `/control/...`. Wrong input is a 400 with `error`, an unknown thing a 404."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def serve(self, request: Request) -> Answer:
        try:
            body: t.Any = request.json_data() if request.get_data() else {}
            data = self._data(request, body)
        except HTTPException:
            return Answer.of_json(404, {"error": f"no {request.method} {request.path}"})
        except LookupError as exc:
            return Answer.of_json(404, {"error": str(exc)})
        except (TypeError, ValueError, re.error) as exc:
            return Answer.of_json(400, {"error": str(exc)})
        return Answer(status=204) if data is None else Answer.of_json(200, data)

    def _data(self, request: Request, body: t.Any) -> t.Any:
        answer, words = _MAP.bind("").match(request.path, request.method)
        rest = dict(words)
        found = _tenant(self._emulator, rest.pop("tenant")) if "tenant" in rest else self._emulator
        return answer(found, body, **rest)
