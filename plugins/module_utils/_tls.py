# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Why a TLS connection failed, with the advice that fits: naming a CA bundle helps against one cause only."""

from __future__ import annotations

import os
import re
import ssl
import typing as t

_ISSUER_CODES = frozenset({2, 18, 19, 20, 21})
_NAME_CODES = frozenset({62, 63, 64})
_EXPIRED_CODES = frozenset({10, 12})
_EARLY_CODES = frozenset({9, 11})
_WEAK_CODES = frozenset({66, 67, 68})
# What OpenSSL checks in its strict mode alone, which Python switches on from 3.13 on.
_STRICT_CODES = frozenset(range(80, 95))

_HASHED_NAME = re.compile(r"[0-9a-f]{8}\.[0-9]+", re.ASCII)

_STRICT = (
    "This Python (3.13 and newer) demands what RFC 5280 asks of certificates: key identifiers, the key usage of CAs, "
    "critical basic constraints. Have the CA and the server's certificate issued anew with them, or run the module "
    "with Python 3.12 or older (ansible_python_interpreter). A different ca_path does not help."
)
_NAME = (
    "The server's certificate is for another name. Check graph_url and authority_host, and whether a proxy or a "
    "gateway answers in the server's place. A different ca_path does not help."
)
_EXPIRED = (
    "Check this machine's clock. If it is right, the server's certificate, or one of the CAs above it, must be renewed "
    "(also in the file that ca_path names)."
)
_WEAK = "Its key or its signature is too weak for this machine's OpenSSL. Have it issued anew with a stronger one."
_OTHER = "The certificate of the server, or of a CA above it, is not fit for this. Have it issued anew."
_NO_TLS = (
    "The server and this machine do not agree on TLS. Check the port and the host of graph_url and authority_host, and "
    "whether a proxy (HTTPS_PROXY) answers in the server's place."
)


def is_hashed_folder(path: str) -> bool:
    """True for a folder in which OpenSSL can find a certificate: it looks for files that are named by a hash."""
    try:
        return any(_HASHED_NAME.fullmatch(name) for name in os.listdir(path))
    except OSError:
        return False


def tls_advice(causes: t.Sequence[BaseException], verify: bool | str) -> str:
    """What to do about a TLS connection that failed.

    :param causes: the exception and all that it wraps.
    :param verify: True, False, or the path of a CA bundle, as the connection was made with.
    """
    if any(type(cause).__name__ == "CertificateError" for cause in causes):
        return _NAME
    refused = next((cause for cause in causes if isinstance(cause, ssl.SSLCertVerificationError)), None)
    if refused is None:
        return _NO_TLS
    code = getattr(refused, "verify_code", None)
    for codes, advice in (
        (_STRICT_CODES, _STRICT),
        (_NAME_CODES, _NAME),
        (_EXPIRED_CODES, _EXPIRED),
        (_EARLY_CODES, "Check this machine's clock: by it, the certificate is not valid yet."),
        (_WEAK_CODES, _WEAK),
    ):
        if code in codes:
            return advice
    if code is not None and code not in _ISSUER_CODES:
        return _OTHER
    if not isinstance(verify, str):
        return (
            "If the server's certificate comes from a private CA (or a TLS-inspecting proxy), "
            "name its CA bundle in ca_path."
        )
    if os.path.isdir(verify):
        return (
            f"No CA in the folder {verify} (ca_path or REQUESTS_CA_BUNDLE) issued the server's certificate. Put the "
            "certificate of that CA there, and run 'openssl rehash' on the folder."
        )
    return (
        f"No CA in {verify} (ca_path or REQUESTS_CA_BUNDLE) issued the server's certificate. Add the certificate of "
        "that root CA, and those of CAs between that the server does not send. The file takes the place of the usual "
        "CA certificates."
    )
