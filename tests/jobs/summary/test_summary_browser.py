"""The summary in Debian's Chromium: one sheet of paper, two colour schemes, and nothing asked of any network."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from jobs.summary.page import as_page
from tests.browsing import requests_of

from .large import large

CHROMIUM = Path("/usr/bin/chromium")
DRIVER = Path("/usr/bin/chromedriver")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")
A4, LETTER = (8.27, 11.69), (8.5, 11.0)
"""Inches."""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (CHROMIUM.exists() and DRIVER.exists()), reason="needs Debian's packages chromium and chromium-driver"
    ),
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    folder = tmp_path_factory.mktemp("summary")
    (folder / "summary.html").write_text(as_page(large()), encoding="utf-8")
    options = ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options=options, service=Service(str(DRIVER)))
    driver.get((folder / "summary.html").as_uri())
    yield driver
    driver.quit()


def test_it_asks_nothing_of_any_network(browser: Chrome) -> None:
    requests = requests_of(browser)
    assert {url.split(":", 1)[0] for url in requests} <= {"file", "data"}
    assert browser.get_log("browser") == []


@pytest.mark.parametrize("paper", [A4, LETTER])
def test_it_prints_on_one_sheet(browser: Chrome, paper: tuple[float, float]) -> None:
    asked = {"paperWidth": paper[0], "paperHeight": paper[1], "printBackground": True}
    pdf = base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", asked)["data"])
    assert pdf.count(b"/Type /Page\n") == 1


def test_it_is_dark_where_the_reader_wants_that(browser: Chrome) -> None:
    found = {}
    for scheme in ("light", "dark"):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": features})
        found[scheme] = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert found == {"light": "rgb(250, 248, 244)", "dark": "rgb(23, 22, 20)"}


@pytest.mark.parametrize("width", [340, 800])
def test_nothing_has_to_be_scrolled_sideways(browser: Chrome, width: int) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
