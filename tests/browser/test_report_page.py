"""The page of the playbook report_risk, opened in a real browser."""

from __future__ import annotations

import collections
import json
import shutil
import typing as t
from pathlib import Path

import pytest

if not (shutil.which("chromium") and shutil.which("chromedriver")):
    pytest.skip("no Chromium here (Debian: chromium, chromium-driver), so no page is opened", allow_module_level=True)

from selenium import webdriver
from selenium.webdriver.common.by import By

from tests.commands import ROOT
from tests.entra_emulator.emulator import Emulator

from . import report
from .report import HOSTILE, Report

PICTURES = ROOT / "tests" / "output" / "browser"
ACTIVE = ("atRisk", "confirmedCompromised")


def texts(browser: webdriver.Chrome, selector: str) -> list[str]:
    """The texts of all elements, as they stand on the page, hidden ones too."""
    return [
        (each.get_attribute("textContent") or "").strip() for each in browser.find_elements(By.CSS_SELECTOR, selector)
    ]


def users_in_order(browser: webdriver.Chrome) -> list[str]:
    """The user principal names of the table, from top to bottom, without the domain of the tenant."""
    return [name.removesuffix("@contoso.example") for name in texts(browser, "#users tbody small:not(.id)")]


def fits(browser: webdriver.Chrome, width: int) -> bool:
    """Whether the page needs no scrolling to the side in a window of this width."""
    browser.set_window_size(width, 900)
    return bool(browser.execute_script("return document.documentElement.scrollWidth <= innerWidth"))


def log(browser: webdriver.Chrome, kind: str) -> list[dict[str, t.Any]]:
    """What the browser has logged since the last call: `browser` for complaints, `performance` for all that it does."""
    # Selenium does not say what this gives.
    untyped: t.Any = browser
    return list(untyped.get_log(kind))


def fetched(browser: webdriver.Chrome, page: Report) -> list[str]:
    """Whatever was asked for on behalf of the page. The browser has a first page of its own, which does not matter."""
    events = [json.loads(entry["message"])["message"] for entry in log(browser, "performance")]
    sent = [event["params"] for event in events if event["method"] == "Network.requestWillBeSent"]
    return [each["request"]["url"] for each in sent if each["documentURL"] == page.url]


def sort_by(browser: webdriver.Chrome, head: str) -> None:
    for button in browser.find_elements(By.CSS_SELECTOR, "#users thead button"):
        if button.text == head:
            button.click()
            return
    raise AssertionError(f"there is no column {head}")


def emulate(browser: webdriver.Chrome, *, scheme: str = "light", media: str = "screen") -> None:
    """Look at the page as somebody with this setting does."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})


def test_the_numbers_are_those_of_the_tenant(browser: webdriver.Chrome, page: Report) -> None:
    browser.get(page.url)
    risks = [user.risk for user in page.tenant.users if user.risk and user.risk["riskState"] in ACTIVE]
    levels = collections.Counter(risk["riskLevel"] for risk in risks)
    first_day = texts(browser, "#bars tbody th")[0]
    detections = [each for each in page.tenant.detections if each["detectedDateTime"] >= first_day]
    types = collections.Counter(each["riskEventType"] for each in detections)
    owners = collections.Counter(each["userId"] for each in detections)

    assert texts(browser, "h1") == ["Risky users of contoso.example"]
    assert page.tenant.id in texts(browser, "header p")[0]
    assert texts(browser, ".cards strong") == ["7", "2", "1", "26"]
    assert (len(risks), levels["high"], len(detections)) == (7, 2, 26)
    assert dict(zip(texts(browser, "#levels th"), map(int, texts(browser, "#levels .number")))) == levels
    assert dict(zip(texts(browser, "#types th"), map(int, texts(browser, "#types .number")))) == types
    assert sorted(users_in_order(browser)) == sorted(risk["userPrincipalName"].split("@")[0] for risk in risks)
    for row in browser.find_elements(By.CSS_SELECTOR, "#users tbody tr"):
        user_id = row.find_element(By.CSS_SELECTOR, ".id").text
        (risk,) = [each for each in risks if each["id"] == user_id]
        cells = [cell.text for cell in row.find_elements(By.TAG_NAME, "td")]
        moment = risk["riskLastUpdatedDateTime"][:16].replace("T", " ")
        assert cells == [risk["riskLevel"], risk["riskState"], risk["riskDetail"], moment, str(owners[user_id])]
        assert (risk["userDisplayName"] in row.find_element(By.TAG_NAME, "th").text) and (
            "deleted" in row.text
        ) == risk["isDeleted"]


def test_the_chart_is_as_high_as_the_numbers_behind_it(browser: webdriver.Chrome, page: Report) -> None:
    browser.get(page.url)
    drawn: collections.Counter[tuple[str, str]] = collections.Counter()
    heights = []
    for rect in browser.find_elements(By.CSS_SELECTOR, ".stack rect"):
        day, text = (rect.find_element(By.TAG_NAME, "title").get_attribute("textContent") or "").split(": ")
        number, level = text.split(" ")
        drawn[day, level] = int(number)
        heights.append(float(rect.get_attribute("height") or 0) / int(number))
    expected = collections.Counter(
        (each["detectedDateTime"][:10], each["riskLevel"]) for each in page.tenant.detections
    )
    first_day = texts(browser, "#bars tbody th")[0]
    assert drawn == {key: number for key, number in expected.items() if key[0] >= first_day}
    assert max(heights) - min(heights) < 0.02
    # The latest day has its date, however many there are.
    days = texts(browser, "#bars tbody th")
    assert texts(browser, ".chart text[text-anchor=middle]")[-1] == days[-1][5:]
    assert len(texts(browser, "#bars tbody tr")) == 30


def test_it_reaches_for_nothing_and_complains_about_nothing(browser: webdriver.Chrome, page: Report) -> None:
    browser.get(page.url)
    for head in texts(browser, "#users thead button"):
        sort_by(browser, head)
    assert fetched(browser, page) == [page.url]
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert log(browser, "browser") == []


def test_a_display_name_is_text(browser: webdriver.Chrome, page: Report) -> None:
    browser.get(page.url)
    assert browser.title.startswith("Risky users of contoso.example, ")
    assert [text for text in texts(browser, "#users tbody th") if text.startswith(HOSTILE)]
    assert browser.find_elements(By.TAG_NAME, "img") == []
    assert len(browser.find_elements(By.TAG_NAME, "script")) == 1


def test_the_policy_stops_what_might_get_in_all_the_same(browser: webdriver.Chrome, page: Report) -> None:
    browser.get(page.url)
    stopped = browser.execute_async_script(
        """
        const seen = [];
        const done = arguments[0];
        document.addEventListener("securitypolicyviolation", (event) => {
          seen.push(event.effectiveDirective);
          if (seen.length === 3) done(seen.sort());
        });
        const script = document.createElement("script");
        script.textContent = "document.title = 'owned'";
        document.body.append(script);
        document.body.setAttribute("onclick", "document.title = 'owned'");
        document.body.click();
        new Image().src = "https://localhost:9/";
        """
    )
    assert stopped == ["img-src", "script-src-attr", "script-src-elem"]
    assert browser.title.startswith("Risky users of ")


def test_the_table_can_be_sorted(browser: webdriver.Chrome, page: Report) -> None:
    browser.get(page.url)
    assert users_in_order(browser)[:3] == ["megan.bowen", "zoe.oneill", "hidden_fabrikam.example#EXT#"]

    sort_by(browser, "Detections")
    sort_by(browser, "Detections")
    # As numbers: 11 comes before 9.
    assert users_in_order(browser)[:3] == ["adele.vance", "zoe.oneill", "megan.bowen"]
    assert texts(browser, "th[aria-sort=descending]") == ["Detections"]

    sort_by(browser, "Level")
    # What is hidden may be high.
    assert texts(browser, "#users .level") == ["low", "low", "medium", "medium", "hidden", "high", "high"]
    sort_by(browser, "Level")
    assert texts(browser, "#users .level") == ["high", "high", "hidden", "medium", "medium", "low", "low"]

    sort_by(browser, "Last change (UTC)")
    moments = texts(browser, "#users .time")
    assert moments == sorted(moments)
    assert len(texts(browser, "th[aria-sort]")) == 1


def test_it_can_be_read_without_script(browser: webdriver.Chrome, page: Report, tmp_path: Path) -> None:
    still = tmp_path / "still.html"
    source = page.path.read_text(encoding="utf-8")
    assert source.count("script-src 'sha256-") == 1
    # The browser then refuses the script of the page.
    still.write_text(source.replace("script-src 'sha256-", "script-src 'sha384-"), encoding="utf-8")
    browser.get(still.as_uri())
    assert browser.find_elements(By.CSS_SELECTOR, "#users button") == []
    assert texts(browser, "#users thead th")[:2] == ["User", "Level"]
    assert len(users_in_order(browser)) == 7


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_readable_in_both_schemes(browser: webdriver.Chrome, page: Report, scheme: str) -> None:
    emulate(browser, scheme=scheme)
    browser.get(page.url)
    parts = [
        "h1", "header .soft", ".cards li", ".cards .high strong", "#users td", "#users small", "thead th", "footer",
    ]  # fmt: skip
    assert [part for part in parts if contrast(browser, part) < 4.5] == []
    PICTURES.mkdir(parents=True, exist_ok=True)
    browser.set_window_size(1280, 1800)
    assert browser.save_screenshot(str(PICTURES / f"{scheme}.png"))


def test_it_fits_the_window(browser: webdriver.Chrome, page: Report) -> None:
    browser.get(page.url)
    assert [fits(browser, width) for width in (500, 760, 1280)] == [True] * 3
    table = "const box = document.querySelector('.scroll'); return box.scrollWidth - box.clientWidth"
    assert browser.execute_script(table) == 0


def test_it_prints_dark_on_white(browser: webdriver.Chrome, page: Report) -> None:
    emulate(browser, scheme="dark", media="print")
    browser.get(page.url)
    assert colors(browser, "h1") == ([0, 0, 0], [255, 255, 255])
    assert not browser.find_element(By.TAG_NAME, "details").is_displayed()


def test_it_says_what_could_not_be_read(browser: webdriver.Chrome, emulator: Emulator, tmp_path: Path) -> None:
    tenant = emulator.add_tenant()
    report.populate(tenant)
    options = {"report_limit": 3, "report_days": 200, "tenant_name": "Contoso & Söhne"}
    some = report.write(emulator, tenant, tmp_path / "some.html", roles=["IdentityRiskyUser.Read.All"], **options)
    browser.get(some.url)
    assert texts(browser, "h1") == ["Risky users of Contoso & Söhne"]
    assert "3 were read, and there are more" in texts(browser, "#users-truncated")[0]
    assert "IdentityRiskEvent.Read.All" in texts(browser, "#detections-unreadable")[0]
    assert "RoleManagement.Read.Directory" in texts(browser, "#roles-unreadable")[0]
    assert texts(browser, "h2")[0] == "Users by the week of their last change, and level"
    assert texts(browser, ".cards strong")[0] == "3"
    assert "Detections" not in texts(browser, "#users thead th")
    # Somebody of them changed within 200 days.
    assert browser.find_elements(By.CSS_SELECTOR, ".stack rect")
    assert log(browser, "browser") == []


def test_a_user_without_a_name_has_an_id_once_and_no_word_is_broken(
    browser: webdriver.Chrome, emulator: Emulator, tmp_path: Path
) -> None:
    tenant = emulator.add_tenant()
    nameless = tenant.add_user("", display_name="")
    plain = tenant.add_user("plain@contoso.example", display_name="")
    for kind in ("adminConfirmedUserCompromised", "investigationsThreatIntelligenceSigninLinked"):
        tenant.add_detections(1, "plain@contoso.example", risk_event_type=kind)
    written = report.write(emulator, tenant, tmp_path / "nameless.html")
    browser.get(written.url)
    assert sorted(head.split() for head in texts(browser, "#users tbody th")) == sorted(
        [[nameless.id], ["plain@contoso.example", plain.id]]
    )
    for width in (1200, 905, 760, 500):
        assert fits(browser, width)
        lines = browser.execute_script(
            """
            const range = document.createRange();
            return [...document.querySelectorAll("#types th")].map((head) => {
              range.selectNodeContents(head);
              return range.getClientRects().length;
            });
            """
        )
        assert lines == [1, 1], width


def colors(browser: webdriver.Chrome, selector: str) -> tuple[list[int], list[int]]:
    """The color of an element's text, and of what is behind it: red, green, blue, 0 to 255 each."""
    values: list[list[int]] = browser.execute_script(
        """
        const read = (text) => text.match(/[\\d.]+/g).map(Number);
        let box = document.querySelector(arguments[0]);
        const text = read(getComputedStyle(box).color);
        let behind = read(getComputedStyle(box).backgroundColor);
        while (behind[3] === 0) {
          box = box.parentElement;
          behind = read(getComputedStyle(box).backgroundColor);
        }
        return [text.slice(0, 3), behind.slice(0, 3)];
        """,
        selector,
    )
    return values[0], values[1]


def contrast(browser: webdriver.Chrome, selector: str) -> float:
    """The contrast of text by the rule of WCAG, from 1 to 21."""

    def luminance(color: t.Sequence[int]) -> float:
        parts = [part / 255 for part in color]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted(map(luminance, colors(browser, selector)))
    return (lighter + 0.05) / (darker + 0.05)
