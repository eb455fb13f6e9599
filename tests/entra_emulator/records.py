"""Risk records of one kind of principal, and what a write does to them. Whoever uses them from threads holds a lock."""

from __future__ import annotations

import copy
import dataclasses
import typing as t
import uuid

from . import timestamps
from .clock import Clock
from .directory import Objects
from .listing import Entry, Values
from .odata import Edm
from .principals import Principals
from .resources import GUID, Action
from .switches import Switches

MAX_IDS = 60
# What a state usually comes with, for records that are added without saying more.
_USUAL_LEVEL = {"atRisk": "medium", "confirmedCompromised": "high"}


class RefusedError(Exception):
    """The service refuses; carries the answer."""

    def __init__(self, status: int, code: str, message: str, headers: t.Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})


class BadRequestError(RefusedError):
    """The usual refusal."""

    def __init__(self, message: str) -> None:
        super().__init__(400, "BadRequest", message)


@dataclasses.dataclass
class _Pending:
    due: float
    action: Action
    actor: str


@dataclasses.dataclass
class RiskRecord(Entry):
    """A risk record with its history."""

    history: list[Values] = dataclasses.field(default_factory=list)
    pending: list[_Pending] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Principal:
    """A snapshot: Graph properties of the risk record and of the directory object, each None without one."""

    id: str
    risk: Values | None
    directory: Values | None
    history: list[Values]

    @property
    def risk_state(self) -> str | None:
        return None if self.risk is None else self.risk["riskState"]


class RiskSet:
    """The risk records of one kind of principal, with the directory objects that belong to them.

    `off_contract` is true as soon as something was put in that the OpenAPI document does not know, such as a new state.

    :param on_effect: told the action and the record's properties whenever a write takes effect.
    """

    def __init__(
        self, principals: Principals, switches: Switches, on_effect: t.Callable[[Action, Values], None], clock: Clock
    ) -> None:
        self.principals = principals
        self.objects = Objects(principals.directory)
        self.records: dict[str, RiskRecord] = {}
        self.off_contract = False
        self._switches = switches
        self._on_effect = on_effect
        self._clock = clock
        self._count = 0
        self._pending = 0

    # Behind everybody's back

    def add(self, arguments: Values) -> Principal:
        """Add a principal. Takes what `change` takes, and `id` and `history`.

        `history` are the arguments of `_past_item` for each item, oldest first; None makes one of the present state.
        """
        arguments = {**self.principals.usual, **arguments}
        self._refuse_unknown(arguments, "id", "history", "listed", "in_directory")
        record_id = str(arguments.get("id") or uuid.uuid4()).lower()
        if arguments["in_directory"]:
            self.objects.put({"id": record_id, **self._directory(arguments)})
        if arguments.get("listed", True):
            self._list(record_id, self._properties(arguments))
            if arguments.get("history") is not None:
                record = self.records[record_id]
                record.history = [self._past_item(record.values, **item) for item in arguments["history"]]
        return self.find(record_id)

    def change(self, key: str, changes: t.Mapping[str, t.Any]) -> Principal:
        """Change a principal. Takes the arguments of `Principals`, and `listed` and `in_directory`."""
        self._refuse_unknown(changes, "listed", "in_directory")
        found = self.find(key)
        risk = self._properties(changes)
        if "riskLastUpdatedDateTime" not in risk and ("riskState" in risk or "riskLevel" in risk):
            risk["riskLastUpdatedDateTime"] = self._now()
        if changes.get("listed") is False:
            self.records.pop(found.id, None)
        elif found.id in self.records:
            self._change(self.records[found.id], risk, actor=None)
        elif changes.get("listed"):
            self._list(found.id, {"riskState": "atRisk", **self.names_of(found.id), **risk})
        directory = self._directory(changes)
        if changes.get("in_directory") is False:
            self.objects.drop(found.id)
        elif found.directory is not None and directory:
            self.objects.put({**found.directory, **directory})
        return self.find(found.id)

    def _refuse_unknown(self, arguments: t.Mapping[str, t.Any], *more: str) -> None:
        known = {*self.principals.arguments, *self.principals.directory_arguments, *more}
        if unknown := sorted(arguments.keys() - known):
            raise ValueError(f"there is no {', '.join(unknown)} of a {self.principals.noun}")

    def _directory(self, arguments: t.Mapping[str, t.Any]) -> Values:
        """The properties of a directory object that some arguments stand for."""
        names = self.principals.directory_arguments
        return {name: value for argument, value in arguments.items() for name in names.get(argument, ())}

    def find(self, key: str) -> Principal:
        """A snapshot of the principal with this id or name (in the directory first, then in the records)."""
        self.settle()
        principal_id = self._id_of(key.lower())
        record = self.records.get(principal_id)
        directory = self.objects.find(principal_id)
        if record is None and directory is None:
            raise LookupError(f"no {self.principals.noun} {key!r}")
        return Principal(
            id=principal_id,
            risk=dict(record.values) if record else None,
            directory=dict(directory) if directory else None,
            history=copy.deepcopy(record.history) if record else [],
        )

    def knows(self, key: str) -> bool:
        principal_id = self._id_of(key.lower())
        return principal_id in self.records or principal_id in self.objects

    @property
    def everybody(self) -> list[Principal]:
        ids = dict.fromkeys([*self.records, *(values["id"] for values in self.objects.all)])
        return [self.find(principal_id) for principal_id in ids]

    def _id_of(self, key: str) -> str:
        found = self.objects.find(key)
        if found is not None:
            return str(found["id"])
        name = self.principals.directory.name_property
        if key in self.records or name is None:
            return key
        named = (record.values["id"] for record in self.records.values() if (record.values[name] or "").lower() == key)
        return next(named, key)

    def named(self, key: str) -> Values:
        """The risk record of a principal, or what one would say of its names."""
        found = self.find(key)
        return found.risk or {"id": found.id, **self.names_of(found.id)}

    def names_of(self, principal_id: str) -> Values:
        """What a new record takes from the directory object; nulls without one."""
        directory = self.objects.find(principal_id) or {}
        return {name: directory.get(source) for name, source in self.principals.names.items()}

    def _properties(self, arguments: t.Mapping[str, t.Any]) -> Values:
        """The properties of a record that some arguments stand for."""
        return {
            name: timestamps.normalize(value) if name == "riskLastUpdatedDateTime" and value is not None else value
            for argument, value in arguments.items()
            for name in self.principals.arguments.get(argument, ())
        }

    # Writes

    def act(self, action: Action, ids: t.Sequence[str], actor: str) -> list[str]:
        """Carry out a write for all ids, or for none."""
        self.settle()
        wanted = [record_id.lower() for record_id in ids]
        self._check_list(wanted)
        for record_id in wanted:
            self._check(action, record_id)
        due = self._clock.monotonic() + self._switches.effect_delay
        for record_id in wanted:
            if record_id not in self.records:
                self._list(record_id, {"riskState": "none", "riskLevel": "none", **self.names_of(record_id)})
            record = self.records[record_id]
            if record_id in self._switches.stuck_ids:
                continue
            if self._switches.effect_delay > 0:
                record.values["isProcessing"] = True
                record.pending.append(_Pending(due, action, actor))
                self._pending += 1
            else:
                self._take_effect(record, action, actor)
        return wanted

    def settle(self) -> None:
        """Let the writes take effect whose time has come."""
        if not self._pending:
            return
        now = self._clock.monotonic()
        for record in list(self.records.values()):
            while record.pending and record.pending[0].due <= now:
                pending = record.pending.pop(0)
                self._pending -= 1
                self._take_effect(record, pending.action, pending.actor)

    def _check_list(self, ids: t.Sequence[str]) -> None:
        if len(ids) > MAX_IDS:
            raise BadRequestError(f"The request holds more than {MAX_IDS} ids.")
        if len(set(ids)) < len(ids):
            raise BadRequestError("The request holds an id twice.")
        if {refused.lower() for refused in self._switches.reject_ids} & set(ids):
            raise BadRequestError("The request is invalid.")

    def _check(self, action: Action, record_id: str) -> None:
        noun = self.principals.noun
        record = self.records.get(record_id)
        if record is not None and record.values.get("isDeleted"):
            raise BadRequestError(f"The request is invalid: a {noun} has been deleted.")
        if record is None and record_id not in self.objects:
            raise RefusedError(404, "ResourceNotFound", "These ids do not exist in your tenant or they are not risky.")
        if record is None and action.ends_risk:
            raise BadRequestError(f"The request is invalid: a {noun} is not risky.")

    def _list(self, record_id: str, values: Values) -> None:
        state = values["riskState"]
        self._count += 1
        resource = self.principals.resource
        record = RiskRecord(
            self._count,
            {
                **{name: _empty(edm) for name, edm in {**resource.properties, **resource.beta_properties}.items()},
                "id": record_id,
                "riskLastUpdatedDateTime": self._now(),
                **self._usual(state),
                **{name: value for name, value in values.items() if value is not None},
            },
        )
        self._note_contract(record)
        self.records[record_id] = record
        if state != "none":
            record.history.append(self._item(record.values, actor=None))

    def _usual(self, state: str) -> Values:
        return {
            "riskDetail": self.principals.details.get(state, "none"),
            "riskLevel": _USUAL_LEVEL.get(state, "none"),
            "riskState": state,
        }

    def _change(self, record: RiskRecord, values: Values, actor: str | None) -> None:
        record.values.update(values)
        self._note_contract(record)
        if "riskState" in values:
            record.history.append(self._item(record.values, actor))

    def _take_effect(self, record: RiskRecord, action: Action, actor: str) -> None:
        self._on_effect(action, record.values)
        if action.ends_risk and self._switches.vanish_after_dismiss:
            self.records.pop(record.values["id"], None)
            return
        self._change(
            record,
            {
                "isProcessing": bool(record.pending),
                "riskDetail": action.detail,
                "riskLastUpdatedDateTime": self._now(),
                "riskLevel": action.level,
                "riskState": action.state,
            },
            actor,
        )

    # History

    def history(self, record_id: str) -> list[Entry] | None:
        """The history of a record, oldest first; None when the id is not listed."""
        record = self.records.get(record_id)
        return None if record is None else [Entry(number, item) for number, item in enumerate(record.history, 1)]

    def _item(self, values: Values, actor: str | None) -> Values:
        owner = self.principals.history_owner
        return {
            **values,
            "id": str(uuid.uuid4()),
            **({} if owner is None else {owner: values["id"]}),
            "initiatedBy": actor,
            "activity": {
                "detail": values["riskDetail"],
                "riskEventTypes": [self.principals.risk_event_type] if values["riskState"] == "atRisk" else [],
            },
        }

    def _past_item(self, values: Values, **fields: t.Any) -> Values:
        """An item that is made up.

        Takes the arguments of the record, and `id`, `initiated_by` and `risk_event_types`.
        """
        unknown = set(fields) - set(self.principals.arguments) - {"id", "initiated_by", "risk_event_types"}
        if unknown:
            raise ValueError(f"no part of a history item: {', '.join(sorted(unknown))}")
        usual = self._usual(fields["risk_state"]) if "risk_state" in fields else {}
        item = self._item({**values, **usual, **self._properties(fields)}, fields.get("initiated_by"))
        if "id" in fields:
            item["id"] = fields["id"]
        if "risk_event_types" in fields:
            item["activity"]["riskEventTypes"] = list(fields["risk_event_types"])
        return item

    def _now(self) -> str:
        return timestamps.of(self._clock.wall())

    def _note_contract(self, record: RiskRecord) -> None:
        fits = self.principals.resource.fits(record.values) and GUID.fullmatch(record.values["id"])
        self.off_contract = self.off_contract or not fits


def _empty(edm: Edm) -> bool | None:
    return False if edm.kind == "boolean" else None
