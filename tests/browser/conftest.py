"""A local tenant, its report, and a real browser without a window. Nothing else on the network can be reached."""

from __future__ import annotations

import shutil
import typing as t

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from tests import loopback
from tests.entra_emulator.emulator import Emulator

from . import report
from .report import Report

loopback.refuse_everything_else()

# Without a sandbox, since tests in containers run as root. The others keep the browser's own errands off the network.
SWITCHES = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1280,900",
)  # fmt: skip


@pytest.fixture(scope="session")
def emulator() -> t.Iterator[Emulator]:
    with Emulator(validate=True) as running:
        yield running
        assert running.violations == []


@pytest.fixture(scope="session")
def page(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The report of a tenant with all kinds of people."""
    tenant = emulator.add_tenant(domain="contoso.example")
    report.populate(tenant)
    return report.write(emulator, tenant, tmp_path_factory.mktemp("report") / "risk.html")


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[webdriver.Chrome]:
    """Chromium with a fresh profile, and a log of what it fetches and complains about."""
    options = webdriver.ChromeOptions()
    for switch in (*SWITCHES, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    # Both are named, so that selenium looks for neither elsewhere.
    options.binary_location = shutil.which("chromium") or ""
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    yield driver
    driver.quit()


@pytest.fixture
def browser(chromium: webdriver.Chrome) -> webdriver.Chrome:
    """Nothing of the test before is left in it."""
    chromium.get("about:blank")
    chromium.set_window_size(1280, 900)
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    # Selenium does not say what this gives.
    untyped: t.Any = chromium
    for kind in ("browser", "performance"):
        untyped.get_log(kind)
    return chromium
