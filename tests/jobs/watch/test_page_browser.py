"""The page of `facejobs ui` in Debian's Chromium, while the run behind it goes on."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium.webdriver import ActionChains, Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from pipeline import layout
from pipeline.finish import finish
from tests.browsing import requests_of
from tests.jobs.watch.constructed import Written
from tests.jobs.watch.serving import Served, served

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


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Written:
    made = Written(tmp_path_factory.mktemp("page"), records=80, zero=time.time() - 150.0)
    for place, ref in enumerate(made.refs[:15]):
        bad = {f"box/{4 * place:05d}.tif": "<img src=x onerror=alert(1)>"} if place < 3 else {}
        made.commit(ref, 10.0 * place - 5.0, 10.0 * place + 9.0, "two" if place % 3 else "one", bad)
    made.mark(made.refs[15], 149.0)
    return made


@pytest.fixture(scope="module")
def server(ledger: Written) -> Iterator[Served]:
    with served(ledger.run.output.uri) as one:
        yield one


@pytest.fixture
def page(browser: Chrome, server: Served) -> Chrome:
    look(browser, scheme="light")
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get(server.url)
    return browser


def look(browser: Chrome, scheme: str, width: int = 1280) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def text(browser: Chrome, part: str) -> str:
    return str(browser.find_element(By.ID, part).text)


def rows(browser: Chrome, part: str) -> list[list[str]]:
    script = """return Array.from(arguments[0].querySelectorAll("tbody tr"),
        (row) => Array.from(row.cells, (cell) => cell.innerText));"""
    found: list[list[str]] = browser.execute_script(script, browser.find_element(By.ID, part))
    return found


def until(there: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30.0
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_it_shows_what_the_ledger_says(page: Chrome, server: Served) -> None:
    until(lambda: text(page, "fresh") == "Up to date")
    summary = text(page, "summary")
    assert "60 of 80 images" in summary
    assert "75 %" in summary
    assert "at work" in summary
    assert "15 of 20 done, 1 under way, 4 waiting" in text(page, "figures")
    assert [[row[0], *row[2:5]] for row in rows(page, "stages")] == [
        ["decode", "25 %", "250 ms", "4/s"],
        ["restore", "75 %", "750 ms", "1.3/s"],
    ]
    assert [row[:3] for row in rows(page, "nodes")] == [["one", "5", "1"], ["two", "10", "0"]]
    assert [row[1] for row in rows(page, "quarantine")] == ["3"]
    assert text(page, "rows").count("onerror=alert(1)>") == 6  # as code and as message, as it stands
    assert page.title == "75 % prints"
    bar = page.find_element(By.CSS_SELECTOR, "[role=progressbar]")
    assert (bar.get_attribute("aria-valuenow"), bar.get_attribute("aria-valuemax")) == ("60", "80")
    bars = page.find_elements(By.CSS_SELECTOR, "svg.throughput rect")
    assert len(bars) >= 4
    assert re.fullmatch(r"\d\d:\d\d:\d\d: [\d.]+/\w+", page.execute_script("return arguments[0].textContent", bars[0]))
    assert page.get_log("browser") == []
    urls = requests_of(page)
    assert urls[0] == server.url
    assert f"{server.url}parts.json" in urls
    assert all(url.startswith((server.url, "data:")) for url in urls)


def test_the_policy_stops_what_is_not_the_pages_own(page: Chrome) -> None:
    page.execute_script(
        "const script = document.createElement('script'); script.textContent = 'window.broken = 1';"
        "document.body.append(script); fetch('http://127.0.0.1:9/').catch(() => {});"
    )
    assert page.execute_script("return window.broken") is None
    refused = [entry["message"] for entry in page.get_log("browser")]
    assert any("script-src" in message for message in refused)
    assert any("connect-src" in message for message in refused)


def test_the_keyboard_reaches_everything_and_keeps_its_place(page: Chrome, ledger: Written) -> None:
    until(lambda: text(page, "fresh") == "Up to date")
    reached = []
    for _ in range(6):
        ActionChains(page).send_keys(Keys.TAB).perform()
        reached.append(page.switch_to.active_element.get_attribute("id") or page.switch_to.active_element.text)
    assert reached == [
        "Skip to the figures",
        "hold",
        "stages-scroll",
        "nodes-scroll",
        "quarantine-scroll",
        "rows-scroll",
    ]
    page.execute_script("document.getElementById('nodes-scroll').focus()")
    before = text(page, "nodes")
    ledger.mark(ledger.refs[16], 150.0, "three")
    until(lambda: text(page, "nodes") != before)
    assert "three" in text(page, "nodes")
    assert page.switch_to.active_element.get_attribute("id") == "nodes-scroll"


def test_it_can_be_held_still(page: Chrome, ledger: Written) -> None:
    until(lambda: text(page, "fresh") == "Up to date")
    page.find_element(By.ID, "hold").send_keys(Keys.ENTER)
    assert page.find_element(By.ID, "hold").get_attribute("aria-pressed") == "true"
    assert text(page, "fresh") == "Held still"
    before = text(page, "figures")
    ledger.commit(ledger.refs[15], 149.0, 152.0)
    time.sleep(2.5)  # longer than the script waits between two questions
    assert text(page, "figures") == before
    page.find_element(By.ID, "hold").send_keys(Keys.ENTER)
    until(lambda: "16 of 20 done" in text(page, "figures"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(page: Chrome, scheme: str) -> None:
    look(page, scheme)
    until(lambda: text(page, "fresh") == "Up to date")
    faint = page.execute_script(CONTRAST)
    assert faint["seen"] > 60
    assert faint["below"] == []
    ground = [int(part) for part in re.findall(r"\d+", faint["ground"])[:3]]
    assert (sum(ground) < 150) == (scheme == "dark")


# Contrast ratio as in WCAG 2.2, of every element that holds text; 4.5 is the least for level AA.
CONTRAST = """
const channel = (c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
const light = (rgb) => 0.2126 * channel(rgb[0]) + 0.7152 * channel(rgb[1]) + 0.0722 * channel(rgb[2]);
const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
const ground = (node) => {
  for (; node; node = node.parentElement) {
    const colour = numbers(getComputedStyle(node).backgroundColor);
    if (colour.length === 3 || colour[3] > 0.5) return colour;
  }
};
const below = [];
let seen = 0;
for (const node of document.body.querySelectorAll("*")) {
  if (!Array.from(node.childNodes).some((child) => child.nodeType === 3 && child.data.trim())) continue;
  if (!node.getClientRects().length || node.closest("script, title, desc")) continue;
  const style = getComputedStyle(node);
  const colour = node.closest("svg") ? style.fill : style.color;
  const pair = [light(numbers(colour)), light(ground(node))].sort((a, b) => b - a);
  seen += 1;
  if ((pair[0] + 0.05) / (pair[1] + 0.05) < 4.5) below.push([node.tagName, node.className, node.textContent]);
}
return {seen, below, ground: getComputedStyle(document.body).backgroundColor};
"""


@pytest.mark.parametrize("width", [320, 420, 800, 1280])
def test_nothing_runs_over_the_side(page: Chrome, width: int) -> None:
    look(page, scheme="light", width=width)
    assert page.execute_script("return document.documentElement.scrollWidth") <= width


def test_without_script_it_is_whole_and_comes_again_by_itself(page: Chrome, server: Served) -> None:
    page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        page.get(server.url)
        assert "of 80 images" in text(page, "summary")
        assert not page.find_element(By.ID, "hold").is_displayed()
        assert 'http-equiv="refresh"' in page.page_source
    finally:
        page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_it_follows_the_run_to_its_end_and_the_next_run_without_a_reload(page: Chrome, ledger: Written) -> None:
    page.execute_script("window.same = 1")
    for ref in ledger.refs[16:]:
        ledger.commit(ref, 152.0, 154.0)
    until(lambda: "100 %" in text(page, "summary"))
    finish(ledger.run)
    ledger.run.folder.write(layout.REPORT, b"<!doctype html><title>of the run</title>")
    until(lambda: "complete" in text(page, "summary"))
    assert page.find_element(By.ID, "live").get_attribute("textContent") == "prints: complete"
    until(lambda: page.find_elements(By.ID, "report-link"))

    other = Written(ledger.root, records=8, name="the next one")
    until(lambda: "the next one" in text(page, "summary"))
    assert f"Run {ledger.run.header.run_id} was shown before; this one took its place." in text(page, "notice")
    assert "0 of 8 images" in text(page, "summary")
    assert "written when the run ends" in text(page, "about")
    other.commit(other.refs[0], 990.0, 999.0)
    until(lambda: "4 of 8 images" in text(page, "summary"))
    assert page.execute_script("return window.same") == 1
    assert page.get_log("browser") == []


def test_a_server_that_is_gone_is_said(browser: Chrome, ledger: Written) -> None:
    with served(ledger.run.output.uri) as one:
        browser.get(one.url)
        until(lambda: text(browser, "fresh") == "Up to date")
    until(lambda: "does not answer" in text(browser, "fresh"))
    assert "images" in text(browser, "summary")
