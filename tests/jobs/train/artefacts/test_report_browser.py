"""The report of a training in Debian's Chromium, opened from disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from jobs.train.artefacts.facts import ReportFacts
from jobs.train.artefacts.report import report
from tests.browsing import requests_of

CHROMIUM = Path("/usr/bin/chromium")
DRIVER = Path("/usr/bin/chromedriver")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--window-size=1280,900",
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (CHROMIUM.exists() and DRIVER.exists()),
        reason="needs Debian's packages chromium and chromium-driver",
    ),
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    options = ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options=options, service=Service(str(DRIVER)))
    yield driver
    driver.quit()


@pytest.fixture
def page(browser: Chrome, report_facts: ReportFacts, tmp_path: Path) -> Chrome:
    path = tmp_path / "report.html"
    path.write_text(report(report_facts), encoding="utf-8")
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get(path.as_uri())
    return browser


def test_it_opens_without_an_error_or_a_request(page: Chrome) -> None:
    requests = requests_of(page)
    assert requests[0].endswith("/report.html")
    assert {url.split(":", 1)[0] for url in requests[1:]} <= {"data"}
    assert page.get_log("browser") == []
    widths = page.execute_script("return Array.from(document.images, (image) => image.naturalWidth)")
    assert len(widths) == 3
    assert min(widths) > 0


def test_the_scale_of_values_can_be_chosen_without_a_script(page: Chrome) -> None:
    linear, logarithmic = (page.find_element(By.CSS_SELECTOR, f".both .scale-{name}") for name in ("linear", "log"))
    only = page.find_element(By.CSS_SELECTOR, ".one .scale-linear")
    assert [one.is_displayed() for one in (linear, logarithmic, only)] == [True, False, True]
    page.find_element(By.ID, "scale-log").click()
    assert [one.is_displayed() for one in (linear, logarithmic, only)] == [False, True, True]


def test_settings_are_folded_until_somebody_goes_there(page: Chrome) -> None:
    settings = page.find_element(By.ID, "settings")
    assert not settings.is_displayed()
    page.find_element(By.CSS_SELECTOR, "nav a[href='#settings']").click()
    assert settings.is_displayed()


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_has_to_be_scrolled_sideways(page: Chrome, width: int) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
