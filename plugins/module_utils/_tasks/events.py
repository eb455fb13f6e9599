# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Events on their way through ansible-rulebook, of the event source and of the event filter alike."""

from __future__ import annotations

import re
import typing as t

from .._text import Carrier

# Where Jinja sees the beginning of an expression, a statement or a comment.
_TEMPLATE_START = re.compile(r"\{(?=[{%#])")


def fit_for_rulebooks(event: dict[str, t.Any], redact: t.Callable[[str], str] = str) -> dict[str, t.Any]:
    """The same event, with texts that do no harm in a playbook.

    ansible-rulebook hands events to playbooks as extra variables, and Ansible evaluates templates in those. A name in
    a directory must not be one: whoever chose it could run commands where the playbook runs.

    :param redact: takes secrets out of a text.
    """
    carrier = Carrier(lambda text: _TEMPLATE_START.sub("\N{REPLACEMENT CHARACTER}", redact(text)))
    return t.cast("dict[str, t.Any]", carrier.carry(event))
