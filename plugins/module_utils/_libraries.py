# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Libraries that are missing, and those that are there and do not work."""

from __future__ import annotations

import contextlib
import re
import traceback
import typing as t

from ._errors import ENDINGS, CredentialsError, EntraRiskError, MissingLibraryError

_LONGEST_REASON = 200
_REMEDIES: t.Mapping[str, str] = {
    "legacy provider": (
        "OpenSSL's legacy provider is missing on this machine. Install it, or set CRYPTOGRAPHY_OPENSSL_NO_LEGACY=1 in "
        "the environment of the task."
    ),
}


class BrokenLibraryError(CredentialsError):
    """A Python library is installed, and does not work. Nothing was sent.

    :param package: as for pip.
    """

    def __init__(self, package: str, cause: BaseException) -> None:
        reason = " ".join(str(cause).split())[:_LONGEST_REASON].rstrip(". ")
        remedy = next((remedy for words, remedy in _REMEDIES.items() if words in reason), None)
        super().__init__(
            f"The Python library {package} is installed on the machine where the module runs, but does not work "
            f"({type(cause).__name__}{': ' if reason else ''}{reason}). "
            + (remedy or f"Install it anew there, together with what it needs: pip install --force-reinstall {package}")
        )
        self.package = package
        self.trace = _trace(cause)


def library_error(package: str, cause: BaseException) -> CredentialsError:
    """The error for what came out of a library: it is missing, or it is broken.

    :param package: as for pip, such as "msal>=1.35".
    """
    name = re.split(r"[<>=!~\[ ]", package, maxsplit=1)[0]
    if isinstance(cause, ImportError) and (cause.name or name).partition(".")[0] == name and _is_missing(cause):
        return MissingLibraryError(package, _trace(cause))
    return BrokenLibraryError(name, cause)


@contextlib.contextmanager
def working_library(package: str) -> t.Iterator[None]:
    """Turn everything that a library raises within this block into one of our errors.

    A library that is partly written in Rust panics with exceptions that are no `Exception`.

    :raises CredentialsError: the library is missing or broken.
    """
    try:
        yield
    except (EntraRiskError, *ENDINGS):
        raise
    except BaseException as exc:
        error = library_error(package, exc)
    else:
        return
    raise error


def _is_missing(cause: ImportError) -> bool:
    """True when the library itself was not found, rather than a part of it."""
    return isinstance(cause, ModuleNotFoundError) and "." not in (cause.name or "")


def _trace(cause: BaseException) -> str:
    return "".join(traceback.format_exception(type(cause), cause, cause.__traceback__))
