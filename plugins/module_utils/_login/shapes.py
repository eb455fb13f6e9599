# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""What values of connection options look like, so that a message never repeats a secret that slipped in."""

from __future__ import annotations

import os
import re

from .._redact import looks_like_token

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
# A domain name stands in the path of URLs, hence the narrow alphabet.
_DOMAIN = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]", re.IGNORECASE | re.ASCII
)
_LONGEST_DOMAIN = 253
_WORD = re.compile(r"[A-Za-z_]{1,32}|v?[0-9]{1,2}(?:\.[0-9]{1,2})?", re.ASCII)

_LONGEST_PATH = 1024
# Parts of a path that may be shown although no such file exists.
_PLAIN_PART = re.compile(r"[\w .@-]{1,64}")
_FILE_ENDING = re.compile(r".\.(?:cer|crt|der|jwt|key|p12|pem|pfx|token|txt)", re.IGNORECASE | re.DOTALL)
# What a key, a password or a token looks like: long, of capitals, small letters and digits without a word in it.
_RANDOM = re.compile(r"(?=[A-Za-z0-9]*[A-Z])(?=[A-Za-z0-9]*[a-z])(?=[A-Za-z0-9]*[0-9])[A-Za-z0-9]{16}", re.ASCII)


def is_guid(text: str) -> bool:
    """True for an object ID or an application ID."""
    return _GUID.fullmatch(text) is not None


def is_domain(text: str) -> bool:
    """True for a domain name of two parts or more. A token has dots too."""
    return len(text) <= _LONGEST_DOMAIN and _DOMAIN.fullmatch(text) is not None and not looks_like_token(text)


def is_tenant(text: str) -> bool:
    """True for a tenant's ID and for a domain name."""
    return is_guid(text) or is_domain(text)


def is_word(text: str) -> bool:
    """True for a name such as "AzureCloud" and for a version: what a message may repeat."""
    return _WORD.fullmatch(text) is not None


def is_path(text: str) -> bool:
    """True for what can be a path. False for the content of a file: line breaks, keys, tokens, overlong text."""
    if len(text) > _LONGEST_PATH or not text.isprintable() or "-----BEGIN" in text:
        return False
    return _exists(text) or not looks_like_token(text)


def path_for_message(text: str) -> str:
    """The path in brackets with a space before it; empty where it may be something else than a path.

    A file that exists is named by its path without doubt. Of anything else only what looks like nothing but a path is
    repeated: somebody may have put the secret, the token or the certificate itself there.
    """
    return f" ({text})" if is_path(text) and (_exists(text) or _looks_like_path(text)) else ""


def why_not_shown(text: str) -> str:
    """A sentence for messages about a path that they do not repeat; empty where they do."""
    if path_for_message(text):
        return ""
    return " Its value is not shown, since it may be the content of a file or a secret in the wrong place."


def has_invisible_characters(text: str) -> bool:
    """True where something is in it that nobody sees, such as the mark that Windows' certificate dialog copies."""
    return any(not character.isprintable() for character in text)


def _exists(text: str) -> bool:
    try:
        return os.path.lexists(text)
    except (OSError, ValueError):
        return False


def _looks_like_path(text: str) -> bool:
    parts = [part for part in text.split("/") if part]
    is_plain = all(_PLAIN_PART.fullmatch(part) and not _RANDOM.search(part) for part in parts)
    begins = text.startswith(("/", "./", "../", "~"))
    return is_plain and bool(parts) and (begins or _FILE_ENDING.search(text[-8:]) is not None)
