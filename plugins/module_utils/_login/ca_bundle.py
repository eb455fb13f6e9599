# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""The CA certificates that a connection is verified against, looked at before anything is sent."""

from __future__ import annotations

import os
import ssl

from .._errors import TlsError
from .shapes import is_path, path_for_message, why_not_shown
from .sources import Sources


def verify(sources: Sources) -> bool | str:
    """False, True for the usual CA certificates, or the path of others.

    :raises TlsError: that path cannot be used.
    """
    if not sources.flag("validate_certs"):
        return False
    given = sources.either("ca_path")
    if given is None:
        return True
    problem = _problem(given.text)
    if problem is not None:
        raise TlsError(
            f"{given.label}{path_for_message(given.text)} cannot be used: {problem}{why_not_shown(given.text)}"
        )
    return given.text


_WHAT_TO_NAME = (
    "Name a file with CA certificates in PEM format, or a folder of them as OpenSSL hashes it, on the machine where "
    "the module runs."
)


def _problem(path: str) -> str | None:
    if not is_path(path):
        return f"its value is not a path. {_WHAT_TO_NAME}"
    if os.path.isdir(path):
        from .._tls import is_hashed_folder

        if is_hashed_folder(path):
            return None
        return "OpenSSL finds no certificate in this folder. Run 'openssl rehash' on it, or name a file."
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except ssl.SSLError:
        return f"it holds no certificate in PEM format. {_remedy(path)}"
    except (OSError, ValueError) as exc:
        return f"{getattr(exc, 'strerror', None) or type(exc).__name__}. {_WHAT_TO_NAME}"
    return None


def _remedy(path: str) -> str:
    with open(path, "rb") as stream:
        begin = stream.read(2)
    if begin[:1] == b"\x30":
        return "It seems to be DER. Convert it: openssl x509 -inform der -in FILE -out ca.pem"
    if begin in (b"\xff\xfe", b"\xfe\xff"):
        return "It is text in UTF-16. Save it as UTF-8 or ASCII."
    return _WHAT_TO_NAME
