"""One tenant: its apps, its directory, its risk records, and what a write does to them.

A risk record and a directory object are two things. A person may be in the directory and not listed as risky, listed
under a former name, or listed and gone from the directory.
"""

from __future__ import annotations

import copy
import dataclasses
import threading
import typing as t
import uuid

from . import timestamps
from .apps import DEFAULT_ROLES, App, new_app
from .clock import Clock
from .detections import OF_PEOPLE, OF_WORKLOADS, Detections
from .faults import Fault
from .grants import Grants, Group
from .journal import Journal
from .limiter import Limiter
from .listing import Entry, Page, Query, Values, cut
from .principals import DIRECTORIES, GROUPS, PEOPLE, WORKLOADS, Directory
from .records import Principal, RefusedError, RiskSet
from .resources import GUID, Action, Resource
from .switches import Switches
from .tokens import LIFETIME, AccessTokens, OidcIssuer, app_claims

IDENTITY_HEADER = "emulated-identity-header"


@dataclasses.dataclass(frozen=True)
class Surroundings:
    """What all tenants of one emulator share."""

    login_url: str
    graph_url: str
    plain_url: str
    tokens: AccessTokens
    oidc: OidcIssuer


class Tenant:
    """A tenant with everything in it. All methods may be called while requests are served."""

    def __init__(
        self,
        surroundings: Surroundings,
        *,
        tenant_id: str | None = None,
        domain: str | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self.id = (tenant_id or str(uuid.uuid4())).lower()
        self.domain = (domain or f"{self.id[:8]}.example").lower()
        self.switches = Switches()
        self.journal = Journal()
        self.limiter = Limiter(self.clock.monotonic)
        self.apps: dict[str, App] = {}
        self.faults: list[Fault] = []
        self._surroundings = surroundings
        self._lock = threading.RLock()
        self.grants = Grants()
        self._detections = Detections(OF_PEOPLE, self.clock)
        self._workload_detections = Detections(OF_WORKLOADS, self.clock)
        self._people = RiskSet(PEOPLE, self.switches, self._detections.follow, self.clock)
        self._workloads = RiskSet(WORKLOADS, self.switches, self._workload_detections.follow, self.clock)
        kinds = (self._people, self._workloads)
        self._risks = {kind.principals.resource.name: kind for kind in kinds}
        self._directories = {
            GROUPS.name: self.grants.objects,
            **{kind.principals.directory.name: kind.objects for kind in kinds},
        }
        self._issued: set[str] = set()
        self._revoked: set[str] = set()

    # Apps and tokens

    @property
    def authority(self) -> str:
        return f"{self._surroundings.login_url}/{self.id}"

    @property
    def machine_url(self) -> str:
        """The base URL of a machine that belongs to this tenant (`AZURE_POD_IDENTITY_AUTHORITY_HOST`)."""
        return f"{self._surroundings.plain_url}/machine/{self.id}"

    def add_app(self, **arguments: t.Any) -> App:
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
        with self._lock:
            return self.apps.get(client_id.lower())

    def token_for(self, app: App, audience: str) -> str:
        return self._mint(audience, LIFETIME, app_claims(app.client_id, app.object_id, app.roles))

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
        identity = app_claims(str(uuid.uuid4()), str(uuid.uuid4()), roles if scp is None else ())
        if scp is not None:
            identity.update(idtyp="user", scp=scp, wids=list(wids), upn=f"operator@{self.domain}")
        return self._mint(audience or self._surroundings.graph_url, expires_in, identity)

    def mint_oidc(self, subject: str, **arguments: t.Any) -> str:
        return self._surroundings.oidc.mint(subject, **arguments)

    def _mint(self, audience: str, expires_in: float, extra: Values) -> str:
        token_id = uuid.uuid4().hex
        with self._lock:
            self._issued.add(token_id)
        return self._surroundings.tokens.mint(
            now=self.clock.wall(),
            tenant_id=self.id,
            audience=audience,
            expires_in=expires_in,
            extra={**extra, "uti": token_id},
        )

    def revoke_tokens(self) -> None:
        with self._lock:
            self._revoked |= self._issued

    def is_revoked(self, token_id: str) -> bool:
        with self._lock:
            return token_id in self._revoked

    def add_fault(self, **fields: t.Any) -> Fault:
        fault = Fault(**fields)
        with self._lock:
            self.faults.append(fault)
        return fault

    def clear_faults(self) -> None:
        with self._lock:
            self.faults.clear()

    # People

    def add_user(self, upn: str, **arguments: t.Any) -> Principal:
        """Add a person. Takes the arguments in principals.py, and `id`, `listed`, `in_directory` and `history`."""
        usual = {
            "display_name": upn.partition("@")[0].replace(".", " ").title(),
            "directory_upn": upn,
            "in_directory": not arguments.get("deleted"),
            "risk_last_updated": self._hour_ago(),
        }
        with self._lock:
            return self._people.add({**_overlaid(usual, arguments), "upn": upn})

    def add_users(self, count: int, *, prefix: str = "user", **arguments: t.Any) -> list[str]:
        """Add many at once, named `prefix` and a number; gives back their ids."""
        with self._lock:
            return [
                self.add_user(f"{prefix}{number:05d}@{self.domain}", **arguments).id for number in range(1, count + 1)
            ]

    def change_user(self, key: str, **changes: t.Any) -> Principal:
        """Change a person behind everybody's back, as other administrators and the service itself do.

        Takes the names of `add_user`. The time of the risk moves with the risk unless it is given.
        """
        with self._lock:
            return self._people.change(key, changes)

    def change_anybody(self, changes: t.Mapping[str, t.Mapping[str, t.Any]]) -> None:
        """Change people and service principals, each under an id or name; who does not exist is added as a person."""
        with self._lock:
            for key, arguments in changes.items():
                kind = next((kind for kind in (self._people, self._workloads) if kind.knows(key)), None)
                if kind is None:
                    self.add_user(key, **arguments)
                else:
                    kind.change(key, arguments)

    def user(self, key: str) -> Principal:
        """A snapshot of the person with this object id or name (in the directory first, then in the records)."""
        with self._lock:
            return self._people.find(key)

    @property
    def users(self) -> list[Principal]:
        with self._lock:
            return self._people.everybody

    # Service principals

    def add_service_principal(self, display_name: str, **arguments: t.Any) -> Principal:
        """Add a service principal. The arguments mean what those of `add_user` mean."""
        usual = {"app_id": str(uuid.uuid4()), "in_directory": True, "risk_last_updated": self._hour_ago()}
        with self._lock:
            return self._workloads.add({**_overlaid(usual, arguments), "display_name": display_name})

    def add_service_principals(self, count: int, *, prefix: str = "workload", **arguments: t.Any) -> list[str]:
        """Add many at once, named `prefix` and a number; gives back their ids."""
        with self._lock:
            return [
                self.add_service_principal(f"{prefix}{number:05d}", **arguments).id for number in range(1, count + 1)
            ]

    def change_service_principal(self, key: str, **changes: t.Any) -> Principal:
        """Change a service principal behind everybody's back. Takes the names of `add_service_principal`."""
        with self._lock:
            return self._workloads.change(key, changes)

    def service_principal(self, key: str) -> Principal:
        """A snapshot of the service principal with this object id."""
        with self._lock:
            return self._workloads.find(key)

    @property
    def service_principals(self) -> list[Principal]:
        with self._lock:
            return self._workloads.everybody

    # Groups and roles

    def add_group(self, members: t.Sequence[str] = (), **arguments: t.Any) -> Group:
        """Add a group; takes the arguments of `Grants.add_group`. A member may be the name of a person."""
        with self._lock:
            return self.grants.add_group([self._id_of(member) for member in members], **arguments)

    def assign_role(self, principal: str, **arguments: t.Any) -> Values:
        """Assign a directory role; takes the arguments of `Grants.assign`. A person may be named."""
        with self._lock:
            return self.grants.assign(self._id_of(principal), **arguments)

    def _id_of(self, key: str) -> str:
        return self._people.find(key).id if "@" in key else key.lower()

    def directory_of(self, object_id: str) -> Directory | None:
        """Where an object of the directory is found; None for what is nowhere, such as a device."""
        with self._lock:
            return next((each for each in DIRECTORIES if object_id in self._directories[each.name]), None)

    # Detections

    def add_detection(self, user: str, **fields: t.Any) -> Values:
        """Add a detection of the person with this id or name; the fields are in `detections.py`."""
        with self._lock:
            return self._detections.add(self._people.named(user), **fields)

    def add_service_principal_detection(self, service_principal: str, **fields: t.Any) -> Values:
        """Add a detection of the service principal with this object id; as `add_detection`."""
        with self._lock:
            return self._workload_detections.add(self._workloads.named(service_principal), **fields)

    def add_detections(self, count: int, user: str, **fields: t.Any) -> list[str]:
        """Add many of one person, each detected a second after the one before and the last one at `detected`."""
        last = timestamps.normalize(fields.pop("detected", None) or self._hour_ago())
        with self._lock:
            return [
                self.add_detection(user, detected=timestamps.earlier(last, seconds=count - number), **fields)["id"]
                for number in range(1, count + 1)
            ]

    @property
    def detections(self) -> list[Values]:
        """The Graph properties of all detections, in the order in which they were added."""
        with self._lock:
            self._settle()
            return [copy.deepcopy(entry.values) for entry in self._detections.entries.values()]

    # For tests in the same process, which may put in what no service would say

    def live_records(self, name: str) -> dict[str, Values]:
        """The properties of the records of a set such as `riskyUsers`, by id. They may be changed."""
        with self._lock:
            self._settle()
            return {key: record.values for key, record in self._risks[name].records.items()}

    # What Graph asks for

    @property
    def off_contract(self) -> bool:
        """Whether something was put in that the OpenAPI document does not know, such as a new risk state."""
        return any(
            each.off_contract for each in (self._people, self._workloads, self._detections, self._workload_detections)
        )

    def directory_object(self, directory: Directory, key: str) -> Values | None:
        with self._lock:
            return self._directories[directory.name].find(key)

    def existing(self, directory: Directory, key: str) -> Values:
        """The directory object of this kind with this id or name."""
        if directory.name_property is None and not GUID.fullmatch(key):
            raise RefusedError(400, "Request_BadRequest", f"Invalid object identifier '{key}'.")
        found = self.directory_object(directory, key)
        if found is None:
            text = f"Resource '{key}' does not exist or one of its queried reference-property objects are not present."
            raise RefusedError(404, "Request_ResourceNotFound", text)
        return found

    def directory_objects(self, directory: Directory) -> list[Values]:
        with self._lock:
            return self._directories[directory.name].all

    def page(self, resource: Resource, query: Query) -> Page:
        with self._lock:
            return cut(self._entries(resource).values(), query)

    def record(self, resource: Resource, record_id: str) -> Values | None:
        with self._lock:
            entry = self._entries(resource).get(record_id.lower())
            return None if entry is None else dict(entry.values)

    def history(self, resource: Resource, record_id: str, query: Query) -> Page | None:
        """A page of the history of a record; None when the id is not listed."""
        with self._lock:
            self._settle()
            entries = self._risks[resource.name].history(record_id.lower())
            return None if entries is None else cut(entries, query)

    def act(self, resource: Resource, action: Action, ids: t.Sequence[str], actor: str) -> list[str]:
        """Carry out a write for all ids, or for none."""
        with self._lock:
            return self._risks[resource.name].act(action, ids, actor)

    def _entries(self, resource: Resource) -> t.Mapping[str, Entry]:
        self._settle()
        sets: dict[str, t.Mapping[str, Entry]] = {
            **{name: risks.records for name, risks in self._risks.items()},
            OF_PEOPLE.resource.name: self._detections.entries,
            OF_WORKLOADS.resource.name: self._workload_detections.entries,
        }
        return sets[resource.name]

    def _hour_ago(self) -> str:
        return timestamps.of(self.clock.wall() - 3600)

    def _settle(self) -> None:
        for risks in self._risks.values():
            risks.settle()


def _overlaid(usual: Values, given: t.Mapping[str, t.Any]) -> Values:
    """What is given, over what is usual. Where something is usual, None is as good as nothing."""
    return {**usual, **{name: value for name, value in given.items() if value is not None or name not in usual}}
