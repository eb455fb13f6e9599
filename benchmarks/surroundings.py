"""The machine and the versions, in words that name nobody's machine."""

from __future__ import annotations

import importlib.metadata
import os
import platform

_PACKAGES = ("ansible-core", "requests", "msal", "msgraph-sdk", "azure-identity")


def describe() -> dict[str, str]:
    """What a reader needs to judge the seconds."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "machine": f"{os.cpu_count()} cores, {memory:.0f} GB of memory, {platform.system()} on {platform.machine()}",
        # Well above 1 means that others were at work too.
        "load average at the end": f"{os.getloadavg()[2]:.1f}",
        "Python": platform.python_version(),
        **{package: importlib.metadata.version(package) for package in _PACKAGES},
    }
