# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""What an access token says of itself, only to explain: nothing is verified, and no decision to write rests on it.

No claim is promised, and a token may be opaque. What cannot be read is unknown, never an error.
https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
"""

from __future__ import annotations

import base64
import dataclasses
import json
import re
import typing as t

from .. import _timestamps
from .shapes import is_guid

# Longer ones never fit into a header.
_LONGEST_TOKEN = 100_000
# The year 9999.
_LAST_SECOND = 253_402_300_799
_PERMISSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,127}", re.ASCII)
_URL_SAFE = str.maketrans("-_", "+/")

Kind = t.Literal["application", "delegated", "unknown"]
_KINDS: t.Mapping[str, Kind] = {"app": "application", "user": "delegated"}


@dataclasses.dataclass(frozen=True)
class Claims:
    """The claims that explain something, each None where the token does not tell it in its usual form.

    :param permissions: the application permissions, or the delegated ones.
    :param role_ids: template ids of the Entra roles of the application or the user, in lower case.
    :param expires_at: ticks.
    """

    kind: Kind = "unknown"
    tenant_id: str | None = None
    client_id: str | None = None
    object_id: str | None = None
    permissions: tuple[str, ...] | None = None
    role_ids: tuple[str, ...] | None = None
    expires_at: int | None = None


def read_claims(token: str) -> Claims:
    """The claims of a token; all of them unknown when it is opaque, or not what it seems to be."""
    claims = _payload(token)
    kind = _kind(claims)
    return Claims(
        kind=kind,
        tenant_id=_guid(claims.get("tid")),
        client_id=_guid(claims.get("appid")) or _guid(claims.get("azp")),
        object_id=_guid(claims.get("oid")),
        permissions=_permissions(claims, kind),
        role_ids=_words(claims.get("wids"), is_guid, str.lower),
        expires_at=_time(claims.get("exp")),
    )


def _payload(token: str) -> dict[str, t.Any]:
    """The middle part of a signed token as data; empty for anything else."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > _LONGEST_TOKEN:
        return {}
    packed = parts[1].translate(_URL_SAFE)
    try:
        data = json.loads(base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True).decode("utf-8"))
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _kind(claims: t.Mapping[str, t.Any]) -> Kind:
    told = claims.get("idtyp")
    if isinstance(told, str) and told in _KINDS:
        return _KINDS[told]
    if isinstance(claims.get("scp"), str):
        return "delegated"
    # Of an application alone, the object is the subject. Without any permission it has no roles either.
    is_subject = _guid(claims.get("oid")) is not None and claims.get("sub") == claims["oid"]
    return "application" if isinstance(claims.get("roles"), list) or is_subject else "unknown"


def _permissions(claims: t.Mapping[str, t.Any], kind: Kind) -> tuple[str, ...] | None:
    if kind == "application":
        # Left out when there is none.
        return _words(claims.get("roles", []), _is_permission)
    scopes = claims.get("scp")
    return _words(scopes.split(), _is_permission) if kind == "delegated" and isinstance(scopes, str) else None


def _words(
    value: t.Any, is_right: t.Callable[[str], bool], form: t.Callable[[str], str] = str
) -> tuple[str, ...] | None:
    """Those entries of a list that have the right form, each once."""
    if not isinstance(value, list):
        return None
    return tuple(dict.fromkeys(form(item) for item in value if isinstance(item, str) and is_right(item)))


def _is_permission(text: str) -> bool:
    return _PERMISSION.fullmatch(text) is not None


def _guid(value: t.Any) -> str | None:
    return value if isinstance(value, str) and is_guid(value) else None


def _time(value: t.Any) -> int | None:
    is_time = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= _LAST_SECOND
    return _timestamps.from_seconds(value) if is_time else None
