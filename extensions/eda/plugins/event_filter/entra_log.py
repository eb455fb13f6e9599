# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Event filter for ansible-rulebook: Entra's log stream in the shape of the collection's own events."""

from __future__ import annotations

import importlib
import json
import logging
import pathlib
import re
import sys
import types
import typing as t
import zlib

DOCUMENTATION = r"""
---
short_description: Turn records of Microsoft Entra's log stream into events of risk
description:
  - An event filter of C(ansible-rulebook). It takes what the diagnostic settings of Microsoft Entra ID send to an
    Event Hub, as the event source C(azure.azcollection.azure_event_hub) delivers it, with many records in one message.
  - Each record of the category C(RiskyUsers) becomes an event with C(risky_user), in the shape of the events of
    C(identityops.entra_risk.risky_users), so that one rulebook serves both. Its C(previous) is null, since the stream
    does not tell what the risk was before.
  - Each record of C(UserRiskEvents) becomes an event with C(risk_detection), each of C(RiskyServicePrincipals) one with
    C(risky_service_principal), and each of C(ServicePrincipalRiskEvents) one with
    C(service_principal_risk_detection).
  - Keys are in snake case, and values as Entra spells them. The stream leaves out the leading zero of an hour; it is
    filled in. Where a text holds the beginning of a template, its brace becomes U+FFFD, since Ansible would
    evaluate it in a playbook.
  - Everything else passes as it came. A record of one of these categories that lacks the properties of an object passes
    too, with a warning in the log.
  - The stream also holds remediations, and what this collection's own modules did. Let a rule look at C(risk_state), so
    that it does not feed itself.
options: {}
"""

EXAMPLES = r"""
- azure.azcollection.azure_event_hub:
    azure_tenant_id: "{{ event_hub_tenant }}"
    azure_client_id: "{{ event_hub_client_id }}"
    azure_client_secret: "{{ event_hub_secret }}"
    azure_namespace: contoso-security.servicebus.windows.net
    azure_event_hub_name: entra-risk
  filters:
    - identityops.entra_risk.entra_log:
"""

# What the records of a category become, and what their events have besides.
KINDS: dict[str, tuple[str, dict[str, t.Any]]] = {
    "RiskyUsers": ("risky_user", {"previous": None}),
    "UserRiskEvents": ("risk_detection", {}),
    "RiskyServicePrincipals": ("risky_service_principal", {}),
    "ServicePrincipalRiskEvents": ("service_principal_risk_detection", {}),
}
_SHORT_HOUR = re.compile(r"(?<=\d\d-\d\d[Tt])(?=\d:\d\d)")
_LOG = logging.getLogger(__name__)
# See the event source: nothing of ansible_collections can be imported here.
_UTILS = pathlib.Path(__file__).resolve().parents[4] / "plugins" / "module_utils"
_PACKAGE = f"_identityops_entra_risk_{zlib.crc32(str(_UTILS).encode()):08x}"

_Event = dict[str, t.Any]


def main(event: _Event) -> _Event | list[_Event]:
    """The events that the records of a message become, and then the message with the records that are left.

    A message without a record that becomes one is given back as it is.
    """
    if not isinstance(event, dict):
        return event
    message = _decoded(event["body"]) if "body" in event else event
    listed = isinstance(message, dict) and isinstance(message.get("records"), list)
    records = message["records"] if listed else message if isinstance(message, list) else [message]
    converted = [_converted(record) for record in records]
    events = [each for each in converted if each is not None]
    if not events:
        return event
    left = [record for record, each in zip(records, converted) if each is None]
    if left:
        # Without a body, the message is the event itself.
        rest = {"records": left} if "body" not in event else {"body": {**message, "records": left} if listed else left}
        events.append({**event, **rest})
    return events


def _decoded(body: t.Any) -> t.Any:
    """The data of a body. The source of an Event Hub gives text where it could not tell that it is JSON."""
    if not isinstance(body, (str, bytes)):
        return body
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _converted(record: t.Any) -> _Event | None:
    """The event that a record becomes, None for one that is not about risk."""
    category = record.get("category") if isinstance(record, dict) else None
    if not isinstance(category, str) or category not in KINDS:
        return None
    properties = record.get("properties")
    if not isinstance(properties, dict) or not isinstance(properties.get("id"), str):
        _LOG.warning("A record of the category %s has no properties with an id. It passes as it came.", category)
        return None
    name, more = KINDS[category]
    values = _load("_tasks.snake_case").with_snake_case(properties)
    event = {name: {key: _with_whole_hour(key, value) for key, value in values.items()}, **more}
    return t.cast("_Event", _load("_tasks.events").fit_for_rulebooks(event))


def _with_whole_hour(key: str, value: t.Any) -> t.Any:
    return _SHORT_HOUR.sub("0", value) if key.endswith("_date_time") and isinstance(value, str) else value


def _load(name: str) -> t.Any:
    if _PACKAGE not in sys.modules:
        package = types.ModuleType(_PACKAGE)
        package.__path__ = [str(_UTILS)]
        sys.modules[_PACKAGE] = package
    return importlib.import_module(f"{_PACKAGE}.{name}")
