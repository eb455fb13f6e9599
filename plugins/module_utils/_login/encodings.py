# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""The forms in which certificate files lie around, brought to the two that libraries read: PEM and DER."""

from __future__ import annotations

import base64
import binascii
import re
import typing as t

_UTF8_MARK = b"\xef\xbb\xbf"
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]+={0,2}")
_BEGIN = b"-----BEGIN "
_DASHES = b"-----"
_LABEL = re.compile(rb"[A-Z0-9 ]{1,40}")


class PemBlock(t.NamedTuple):
    """One block of a PEM file.

    :param label: such as "CERTIFICATE".
    :param data: the whole block, with the lines as libraries want them.
    """

    label: str
    data: bytes


def to_pem_or_der(data: bytes) -> bytes:
    """The file as it would be without what exports and copies do to it.

    UTF-16 and byte order marks (Windows), Base64 around it (Azure Key Vault, Kubernetes), line breaks written as `\\n`
    (environment variables), quotes around it.
    """
    data = _to_ascii(data)
    # Base64 may be around a file that is Base64 or PEM itself, but hardly more often.
    for dummy in range(2):
        if is_pem(data) or is_der(data):
            break
        packed = b"".join(data.split()).strip(b"\"'")
        if len(packed) < 64 or _BASE64.fullmatch(packed) is None:
            break
        try:
            unpacked = base64.b64decode(packed.translate(bytes.maketrans(b"-_", b"+/")) + b"=" * (-len(packed) % 4))
        except binascii.Error:
            break
        data = _to_ascii(unpacked)
    return data.replace(b"\\r", b"").replace(b"\\n", b"\n") if is_pem(data) else data


def is_pem(data: bytes) -> bool:
    """True for text with a PEM block in it."""
    return _BEGIN in data


def is_der(data: bytes) -> bool:
    """True for what may be a certificate, a key or a PFX file in its binary form."""
    return data[:1] == b"\x30" and len(data) > 1 and data[1] >= 0x80


def pem_blocks(data: bytes) -> list[PemBlock]:
    """The blocks of a PEM file, in order. Reads the file once, whatever is in it."""
    blocks = []
    for part in data.split(_BEGIN)[1:]:
        label, found, rest = part.partition(_DASHES)
        if not found or _LABEL.fullmatch(label) is None:
            continue
        body, found, dummy = rest.partition(_DASHES + b"END " + label + _DASHES)
        if found:
            lines = _BEGIN + label + _DASHES + b"\n" + _wrapped(body) + b"\n-----END " + label + _DASHES + b"\n"
            blocks.append(PemBlock(label.decode("ascii"), lines))
    return blocks


def _wrapped(body: bytes) -> bytes:
    """Lines of 64 characters, also where the line breaks were lost; a block with headers stays as it is."""
    if b":" in body:
        return body.strip()
    packed = b"".join(body.split())
    return b"\n".join(packed[start : start + 64] for start in range(0, len(packed), 64))


def _to_ascii(data: bytes) -> bytes:
    if data.startswith(_UTF8_MARK):
        return data[len(_UTF8_MARK) :]
    for marks, encoding in (((b"\xff\xfe", b"-\0", b"M\0"), "utf-16-le"), ((b"\xfe\xff", b"\0-", b"\0M"), "utf-16-be")):
        if data.startswith(marks):
            return data.decode(encoding, "replace").lstrip("\ufeff").encode("ascii", "replace")
    return data
