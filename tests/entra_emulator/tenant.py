# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One tenant: its apps, its directory, its risk records, and what a write does to them.

A risk record and a directory object are two things. A person may be in the directory and not listed as risky, listed
under a former name, or listed and gone from the directory.
"""

from __future__ import annotations

import copy
import dataclasses
import threading
import time
import typing as t
import uuid

from . import timestamps
from .apps import DEFAULT_ROLES, App, new_app
from .faults import Fault
from .journal import Journal
from .limiter import Limiter
from .odata import Filter
from .resources import DIRECTORY_PROPERTIES, RISK_DETAILS, RISK_LEVELS, RISK_STATES, RISKY_USERS, Action, Resource
from .switches import Switches
from .tokens import AccessTokens, OidcIssuer

MAX_IDS = 60
IDENTITY_HEADER = "emulated-identity-header"
# What a state usually comes with, for users that are added without saying more.
_USUAL_LEVEL = {"atRisk": "medium", "confirmedCompromised": "high"}
_USUAL_DETAIL = {
    "dismissed": "adminDismissedAllRiskForUser",
    "confirmedCompromised": "adminConfirmedUserCompromised",
    "confirmedSafe": "adminConfirmedAccountSafe",
    "remediated": "userPerformedSecuredPasswordReset",
}

Values = dict[str, t.Any]


class RefusedError(Exception):
    """The service refuses; carries the answer."""

    def __init__(self, status: int, code: str, message: str, headers: t.Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})


@dataclasses.dataclass(frozen=True)
class Surroundings:
    """What all tenants of one emulator share."""

    login_url: str
    graph_url: str
    plain_url: str
    tokens: AccessTokens
    oidc: OidcIssuer


@dataclasses.dataclass
class _Pending:
    due: float
    action: Action
    actor: str


@dataclasses.dataclass
class RiskRecord:
    """A record, its Graph properties and its history; `number` orders the list."""

    number: int
    values: Values
    history: list[Values] = dataclasses.field(default_factory=list)
    pending: list[_Pending] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class User:
    """A snapshot of a user: Graph properties of the risk record and of the directory object, each None without one."""

    id: str
    risk: Values | None
    directory: Values | None
    history: list[Values]

    @property
    def listed(self) -> bool:
        """Whether there is a risk record."""
        return self.risk is not None

    @property
    def risk_state(self) -> str | None:
        """The state, None when not listed."""
        return None if self.risk is None else self.risk["riskState"]

    @property
    def risk_level(self) -> str | None:
        """The level, None when not listed."""
        return None if self.risk is None else self.risk["riskLevel"]

    @property
    def risk_last_updated(self) -> str | None:
        """When the risk changed, None when not listed."""
        return None if self.risk is None else self.risk["riskLastUpdatedDateTime"]


class Tenant:
    """A tenant with everything in it. All methods may be called while requests are served."""

    def __init__(self, surroundings: Surroundings, *, tenant_id: str | None = None, domain: str | None = None) -> None:
        self.id = (tenant_id or str(uuid.uuid4())).lower()
        self.domain = (domain or f"{self.id[:8]}.example").lower()
        self.switches = Switches()
        self.journal = Journal()
        self.limiter = Limiter()
        self.apps: dict[str, App] = {}
        self.faults: list[Fault] = []
        # True as soon as something was put in that the OpenAPI document does not know, such as a new risk state.
        self.off_contract = False
        self._surroundings = surroundings
        self._lock = threading.RLock()
        self._directory: dict[str, Values] = {}
        self._ids_by_name: dict[str, str] = {}
        self._sets: dict[str, dict[str, RiskRecord]] = {RISKY_USERS.name: {}}
        self._count = 0
        self._pending = 0
        self._issued: set[str] = set()
        self._revoked: set[str] = set()

    # Apps and tokens

    @property
    def authority(self) -> str:
        """The login URL of this tenant."""
        return f"{self._surroundings.login_url}/{self.id}"

    @property
    def machine_url(self) -> str:
        """The base URL of a machine that belongs to this tenant (`AZURE_POD_IDENTITY_AUTHORITY_HOST`)."""
        return f"{self._surroundings.plain_url}/machine/{self.id}"

    def add_app(self, **arguments: t.Any) -> App:
        """Register an app; takes the arguments of `apps.new_app`."""
        app = new_app(**arguments)
        with self._lock:
            self.apps[app.client_id.lower()] = app
        return app

    def add_identity(self, *, roles: t.Sequence[str] = DEFAULT_ROLES, user_assigned: bool = False) -> App:
        """Give the machine a managed identity: the system-assigned one, or a further user-assigned one."""
        app = self.add_app(roles=roles, secret=None, managed_identity=True)
        if not user_assigned:
            with self._lock:
                self.system_identity = app
        return app

    system_identity: App | None = None

    def app(self, client_id: str) -> App | None:
        """The app with this client id."""
        with self._lock:
            return self.apps.get(client_id.lower())

    def token_for(self, app: App, audience: str) -> str:
        """An access token for an app."""
        return self._mint(
            audience,
            self.switches.token_lifetime,
            {
                "appid": app.client_id,
                "oid": app.object_id,
                "sub": app.object_id,
                "idtyp": "app",
                "roles": list(app.roles),
            },
        )

    def mint_token(
        self,
        *,
        roles: t.Sequence[str] = DEFAULT_ROLES,
        expires_in: float = 3600,
        audience: str | None = None,
        scp: str | None = None,
        wids: t.Sequence[str] = (),
    ) -> str:
        """A ready access token.

        :param expires_in: seconds; negative for one that has expired.
        :param audience: default is Graph.
        :param scp: delegated permissions; the token is then that of a person, `roles` is left out.
        :param wids: template ids of the Entra roles that the person holds.
        """
        identity: Values = {"appid": str(uuid.uuid4()), "oid": str(uuid.uuid4())}
        if scp is None:
            identity.update(idtyp="app", roles=list(roles))
        else:
            identity.update(idtyp="user", scp=scp, wids=list(wids), upn=f"operator@{self.domain}")
        return self._mint(audience or self._surroundings.graph_url, expires_in, identity)

    def mint_oidc(self, subject: str, **arguments: t.Any) -> str:
        """A token of the federated issuer; takes the arguments of `OidcIssuer.mint`."""
        return self._surroundings.oidc.mint(subject, **arguments)

    def _mint(self, audience: str, expires_in: float, extra: Values) -> str:
        token_id = uuid.uuid4().hex
        with self._lock:
            self._issued.add(token_id)
        return self._surroundings.tokens.mint(
            tenant_id=self.id, audience=audience, expires_in=expires_in, extra={**extra, "uti": token_id}
        )

    def revoke_tokens(self) -> None:
        """Withdraw every token that was given out so far."""
        with self._lock:
            self._revoked |= self._issued

    def is_revoked(self, token_id: str) -> bool:
        """Whether a token was withdrawn."""
        with self._lock:
            return token_id in self._revoked

    def add_fault(self, **fields: t.Any) -> Fault:
        """Add a rule that breaks matching requests; takes the fields of `faults.Fault`."""
        fault = Fault(**fields)
        with self._lock:
            self.faults.append(fault)
        return fault

    def clear_faults(self) -> None:
        """Remove all rules."""
        with self._lock:
            self.faults.clear()

    # People

    def add_user(
        self,
        upn: str,
        *,
        id: str | None = None,  # noqa: A002  # the property's own name
        risk_state: str = "atRisk",
        risk_level: str | None = None,
        risk_detail: str | None = None,
        risk_last_updated: str | None = None,
        display_name: str | None = None,
        directory_upn: str | None = None,
        user_type: str = "Member",
        account_enabled: bool = True,
        listed: bool = True,
        deleted: bool = False,
        in_directory: bool | None = None,
    ) -> User:
        """Add a person.

        :param upn: the name in the risk record.
        :param directory_upn: the name in the directory, when the person was renamed since.
        :param listed: False makes no risk record.
        :param deleted: the record says `isDeleted`.
        :param in_directory: whether there is a directory object; without a word, unless `deleted`.
        """
        user_id = (id or str(uuid.uuid4())).lower()
        name = display_name if display_name is not None else upn.partition("@")[0].replace(".", " ").title()
        with self._lock:
            if (not deleted) if in_directory is None else in_directory:
                self._put_in_directory(
                    {
                        "id": user_id,
                        "accountEnabled": account_enabled,
                        "displayName": name,
                        "mail": directory_upn or upn,
                        "userPrincipalName": directory_upn or upn,
                        "userType": user_type,
                    }
                )
            if listed:
                self._list(
                    user_id,
                    {
                        "isDeleted": deleted,
                        "riskDetail": risk_detail,
                        "riskLastUpdatedDateTime": timestamps.normalise(risk_last_updated or timestamps.ago(hours=1)),
                        "riskLevel": risk_level,
                        "riskState": risk_state,
                        "userDisplayName": name,
                        "userPrincipalName": upn,
                    },
                )
            return self.user(user_id)

    def add_users(self, count: int, *, prefix: str = "user", **arguments: t.Any) -> list[str]:
        """Add many at once, named `prefix` and a number; gives back their ids."""
        with self._lock:
            return [
                self.add_user(f"{prefix}{number:05d}@{self.domain}", **arguments).id for number in range(1, count + 1)
            ]

    def change_user(self, key: str, **changes: t.Any) -> User:
        """Change a person behind everybody's back, as other administrators and the service itself do.

        Takes the names of `add_user`. The time of the risk moves with the risk unless it is given.

        :raises LookupError: nobody has this id or name.
        :raises ValueError: a name that does not exist.
        """
        unknown = set(changes) - set(_RISK_FIELDS) - set(_DIRECTORY_FIELDS) - {"listed", "in_directory"}
        if unknown:
            raise ValueError(f"cannot be changed: {', '.join(sorted(unknown))}")
        with self._lock:
            user = self.user(key)
            risk = {_RISK_FIELDS[name]: value for name, value in changes.items() if name in _RISK_FIELDS}
            if "riskLastUpdatedDateTime" in risk:
                risk["riskLastUpdatedDateTime"] = timestamps.normalise(risk["riskLastUpdatedDateTime"])
            elif "riskState" in risk or "riskLevel" in risk:
                risk["riskLastUpdatedDateTime"] = timestamps.now()
            records = self._sets[RISKY_USERS.name]
            if changes.get("listed") is False:
                records.pop(user.id, None)
            elif user.id in records:
                self._change(records[user.id], risk, actor=None)
            elif changes.get("listed"):
                self._list(user.id, {"riskState": "atRisk", **self._names_of(user.id), **risk})
            directory = {_DIRECTORY_FIELDS[name]: value for name, value in changes.items() if name in _DIRECTORY_FIELDS}
            if changes.get("in_directory") is False:
                self._drop_from_directory(user.id)
            elif user.directory is not None and directory:
                self._put_in_directory({**user.directory, **directory})
            return self.user(user.id)

    def user(self, key: str) -> User:
        """A snapshot of the person with this object id or name (in the directory first, then in the records).

        :raises LookupError: nobody has it.
        """
        with self._lock:
            self._settle()
            user_id = key.lower()
            records = self._sets[RISKY_USERS.name]
            if user_id not in records and user_id not in self._directory:
                named = [
                    record.values["id"]
                    for record in records.values()
                    if (record.values["userPrincipalName"] or "").lower() == user_id
                ]
                user_id = self._ids_by_name.get(user_id) or (named[0] if named else "")
            record = records.get(user_id)
            directory = self._directory.get(user_id)
            if record is None and directory is None:
                raise LookupError(f"no user {key!r}")
            return User(
                id=user_id,
                risk=dict(record.values) if record else None,
                directory=dict(directory) if directory else None,
                history=copy.deepcopy(record.history) if record else [],
            )

    @property
    def users(self) -> list[User]:
        """Everybody, listed or not."""
        with self._lock:
            return [self.user(user_id) for user_id in {**self._sets[RISKY_USERS.name], **self._directory}]

    def directory_object(self, key: str) -> Values | None:
        """The directory object with this id or name."""
        with self._lock:
            return self._directory.get(self._ids_by_name.get(key.lower(), key.lower()))

    def directory_objects(self) -> list[Values]:
        """All directory objects."""
        with self._lock:
            return list(self._directory.values())

    def _put_in_directory(self, values: Values) -> None:
        self._drop_from_directory(values["id"])
        self._directory[values["id"]] = {name: values.get(name) for name in DIRECTORY_PROPERTIES}
        self._ids_by_name[values["userPrincipalName"].lower()] = values["id"]

    def _drop_from_directory(self, user_id: str) -> None:
        former = self._directory.pop(user_id, None)
        if former is not None:
            self._ids_by_name.pop(former["userPrincipalName"].lower(), None)

    def _names_of(self, user_id: str) -> Values:
        directory = self._directory.get(user_id) or {}
        return {
            "userDisplayName": directory.get("displayName"),
            "userPrincipalName": directory.get("userPrincipalName"),
        }

    # Risk records

    def records(self, resource: Resource) -> list[RiskRecord]:
        """All records of a set, in the order of the list."""
        with self._lock:
            self._settle()
            return list(self._sets[resource.name].values())

    def record(self, resource: Resource, record_id: str) -> RiskRecord | None:
        """One record, None when the id is not listed."""
        with self._lock:
            self._settle()
            return self._sets[resource.name].get(record_id.lower())

    def page(
        self, resource: Resource, matching: Filter | None, after: int, size: int
    ) -> tuple[list[Values], int | None, int]:
        """A page of the list: the records, the number to go on after (None at the end), and how many match in all."""
        found: list[Values] = []
        last = after
        more = False
        total = 0
        with self._lock:
            self._settle()
            for record in self._sets[resource.name].values():
                if matching is not None and not matching.matches(record.values):
                    continue
                total += 1
                if record.number <= after:
                    continue
                if len(found) == size:
                    more = True
                    continue
                found.append(dict(record.values))
                last = record.number
        return found, last if more else None, total

    def act(self, resource: Resource, action: Action, ids: t.Sequence[str], actor: str) -> list[str]:
        """Carry out a write for all ids, or for none.

        :returns: the ids that were written.
        :raises RefusedError: by one of the switches.
        """
        with self._lock:
            self._settle()
            wanted = [record_id.lower() for record_id in ids]
            self._check_list(wanted)
            written = [record_id for record_id in dict.fromkeys(wanted) if self._admits(resource, action, record_id)]
            due = time.monotonic() + self.switches.effect_delay
            records = self._sets[resource.name]
            for record_id in written:
                if record_id not in records:
                    self._list(record_id, {"riskState": "none", "riskLevel": "none", **self._names_of(record_id)})
                record = records[record_id]
                if self.switches.effect_delay > 0:
                    record.values["isProcessing"] = True
                    record.pending.append(_Pending(due, action, actor))
                    self._pending += 1
                else:
                    self._take_effect(resource, record, action, actor)
            return written

    def _check_list(self, ids: t.Sequence[str]) -> None:
        if len(ids) > MAX_IDS and self.switches.over_sixty == "refuse":
            raise RefusedError(400, "BadRequest", f"The request holds more than {MAX_IDS} ids.")
        if len(set(ids)) < len(ids) and self.switches.duplicate_ids == "refuse":
            raise RefusedError(400, "BadRequest", "The request holds an id twice.")
        if {refused.lower() for refused in self.switches.reject_ids} & set(ids):
            raise RefusedError(400, "BadRequest", "The request is invalid.")

    def _admits(self, resource: Resource, action: Action, record_id: str) -> bool:
        """Whether an id is to be written; False is left out silently."""
        record = self._sets[resource.name].get(record_id)
        if record is not None:
            if record.values.get("isDeleted") and self.switches.deleted_users != "accept":
                if self.switches.deleted_users == "refuse":
                    raise RefusedError(400, "BadRequest", "The request is invalid: a user has been deleted.")
                return False
            return True
        if record_id in self._directory:
            if not action.ends_risk:
                return True
            if self.switches.unlisted_dismiss == "refuse":
                raise RefusedError(400, "BadRequest", "The request is invalid: a user is not risky.")
            return False
        if self.switches.unknown_ids == "refuse":
            raise RefusedError(404, "ResourceNotFound", "These ids do not exist in your tenant or they are not risky.")
        return False

    def _list(self, user_id: str, values: Values) -> None:
        state = values["riskState"]
        self._count += 1
        complete: Values = {
            "id": user_id,
            "isDeleted": False,
            "isProcessing": False,
            "riskDetail": _USUAL_DETAIL.get(state, "none"),
            "riskLastUpdatedDateTime": timestamps.now(),
            "riskLevel": _USUAL_LEVEL.get(state, "none"),
            "riskState": state,
            "userDisplayName": None,
            "userPrincipalName": None,
            **{name: value for name, value in values.items() if value is not None},
        }
        record = RiskRecord(self._count, complete)
        self._note_contract(complete)
        self._sets[RISKY_USERS.name][user_id] = record
        if state != "none":
            self._remember(record, actor=None)

    def _change(self, record: RiskRecord, values: Values, actor: str | None) -> None:
        record.values.update(values)
        self._note_contract(record.values)
        if "riskState" in values:
            self._remember(record, actor)

    def _take_effect(self, resource: Resource, record: RiskRecord, action: Action, actor: str) -> None:
        if action.ends_risk and self.switches.vanish_after_dismiss:
            self._sets[resource.name].pop(record.values["id"], None)
            return
        self._change(
            record,
            {
                "isProcessing": bool(record.pending),
                "riskDetail": action.detail,
                "riskLastUpdatedDateTime": timestamps.now(),
                "riskLevel": action.level,
                "riskState": action.state,
            },
            actor,
        )

    def hurry(self) -> None:
        """Let all writes that are in processing take effect now."""
        with self._lock:
            for records in self._sets.values():
                for record in records.values():
                    for pending in record.pending:
                        pending.due = 0.0
            self._settle()

    def _settle(self) -> None:
        """Let the writes take effect whose time has come."""
        if not self._pending:
            return
        now = time.monotonic()
        for records in list(self._sets.values()):
            for record in list(records.values()):
                while record.pending and record.pending[0].due <= now:
                    pending = record.pending.pop(0)
                    self._pending -= 1
                    self._take_effect(RISKY_USERS, record, pending.action, pending.actor)

    def _remember(self, record: RiskRecord, actor: str | None) -> None:
        values = record.values
        record.history.append(
            {
                **values,
                "id": str(uuid.uuid4()),
                "userId": values["id"],
                "initiatedBy": actor,
                "activity": {
                    "detail": values["riskDetail"],
                    "riskEventTypes": ["unfamiliarFeatures"] if values["riskState"] == "atRisk" else [],
                },
            }
        )

    def _note_contract(self, values: Values) -> None:
        if (
            values["riskState"] not in RISK_STATES
            or values["riskLevel"] not in RISK_LEVELS
            or values["riskDetail"] not in RISK_DETAILS
        ):
            self.off_contract = True


_RISK_FIELDS = {
    "deleted": "isDeleted",
    "display_name": "userDisplayName",
    "processing": "isProcessing",
    "risk_detail": "riskDetail",
    "risk_last_updated": "riskLastUpdatedDateTime",
    "risk_level": "riskLevel",
    "risk_state": "riskState",
    "upn": "userPrincipalName",
}
_DIRECTORY_FIELDS = {
    "account_enabled": "accountEnabled",
    "directory_upn": "userPrincipalName",
    "display_name": "displayName",
    "user_type": "userType",
}
