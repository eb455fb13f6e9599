# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Files that options name: read whole, with a bound, and with a message that names them only by what is a path."""

from __future__ import annotations

import os

from .._errors import CredentialsError
from .shapes import path_for_message, why_not_shown

# No key, certificate or token comes near it.
_LARGEST = 1024 * 1024


def read_file(label: str, path: str) -> bytes:
    """The content of a file that an option names.

    :param label: the option or the variable.
    :raises CredentialsError: it cannot be read, is empty, or is no file of this kind.
    """
    try:
        if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
            # A pipe might be waited for in vain, and a device has no end.
            reason = "it is not a regular file"
        else:
            with open(path, "rb") as stream:
                data = stream.read(_LARGEST + 1)
            if data.strip() and len(data) <= _LARGEST:
                return data
            reason = "the file is larger than 1 MiB" if data.strip() else "the file is empty"
    except OSError as exc:
        reason = exc.strerror or type(exc).__name__
    except ValueError:
        reason = "this is not a path"
    raise CredentialsError(
        f"{label}{path_for_message(path)} cannot be read: {reason}. "
        f"The file must be on the machine where the module runs, readable for its user.{why_not_shown(path)}"
    )
