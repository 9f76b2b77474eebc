"""The report in Debian's Chromium, opened from disk."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import ActionChains, Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from jobs.report.data import ReportData
from jobs.report.render import render
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


@pytest.fixture(scope="module")
def address(report_data: ReportData, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render(report_data), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def page(browser: Chrome, address: str) -> Chrome:
    look(browser, scheme="light")
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get(address)
    return browser


def look(browser: Chrome, scheme: str, medium: str = "", width: int = 1280) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": medium, "features": features})
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def cut(browser: Chrome, index: int = 0) -> float:
    """Where the version after restoration begins, in percent of the picture's width."""
    pane = browser.find_elements(By.CSS_SELECTOR, ".pane.after")[index]
    found = re.fullmatch(
        r"inset\(0(?:px|%)? 0(?:px|%)? 0(?:px|%)? ([\d.]+)%\)", pane.value_of_css_property("clip-path")
    )
    assert found
    return float(found[1])


def test_it_opens_without_an_error_or_a_request(page: Chrome, address: str) -> None:
    requests = requests_of(page)
    assert requests[0] == address
    assert {url.split(":", 1)[0] for url in requests[1:]} <= {"data"}
    assert page.get_log("browser") == []
    widths = page.execute_script("return Array.from(document.images, (image) => image.naturalWidth)")
    assert len(widths) == 18
    assert min(widths) > 0


def test_the_policy_stops_what_is_not_the_pages_own(page: Chrome) -> None:
    page.execute_script(
        "const script = document.createElement('script'); script.textContent = 'window.broken = 1';"
        "document.body.append(script);"
        "const image = new Image(); image.src = 'file:///etc/hostname'; document.body.append(image);"
    )
    assert page.execute_script("return window.broken") is None
    refused = [entry["message"] for entry in page.get_log("browser")]
    assert any("script-src" in message for message in refused)
    assert any("img-src" in message for message in refused)


def test_keys_move_the_slider(page: Chrome) -> None:
    slider = page.find_elements(By.CSS_SELECTOR, ".compare input")[0]
    assert cut(page) == 50
    slider.send_keys(Keys.ARROW_RIGHT)
    assert cut(page) == 51
    slider.send_keys(Keys.HOME)
    assert cut(page) == 0
    assert slider.get_attribute("aria-valuetext") == "0 % before, 100 % after"
    slider.send_keys(Keys.END)
    assert cut(page) == 100
    assert cut(page, 1) == 50


def test_the_divider_follows_the_pointer(page: Chrome) -> None:
    stage = page.find_elements(By.CSS_SELECTOR, ".faces .compare")[0]
    page.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", stage)
    width = stage.size["width"]
    for share in (0.25, 0.9):
        ActionChains(page).move_to_element_with_offset(stage, int(width * (share - 0.5)), 0).click().perform()
        assert cut(page, 3) == pytest.approx(100 * share, abs=1.0)


def test_the_slider_uncovers_other_pixels(page: Chrome) -> None:
    stage = page.find_elements(By.CSS_SELECTOR, ".faces .compare")[0]
    slider = stage.find_element(By.CSS_SELECTOR, "input")
    slider.send_keys(Keys.HOME)
    after = stage.screenshot_as_png
    slider.send_keys(Keys.END)
    assert stage.screenshot_as_png != after


def test_the_table_is_filtered_by_code(page: Chrome) -> None:
    def shown() -> list[str]:
        rows = page.find_elements(By.CSS_SELECTOR, "#quarantine-rows tbody tr")
        return [row.find_element(By.CSS_SELECTOR, ".code").text for row in rows if row.is_displayed()]

    choice = Select(page.find_element(By.ID, "code-filter"))
    state = page.find_element(By.ID, "filter-state")
    assert len(shown()) == 9
    choice.select_by_visible_text("not_an_image")
    assert shown() == ["not_an_image"] * 2
    assert state.text == "2 of 9 rows"
    look(page, scheme="light", width=390)
    assert shown() == ["not_an_image"] * 2
    choice.select_by_visible_text("every code")
    assert len(shown()) == 9


def test_a_picture_can_be_enlarged(page: Chrome) -> None:
    card = page.find_elements(By.CSS_SELECTOR, ".faces .card")[0]
    button = card.find_element(By.CSS_SELECTOR, ".enlarge")
    before = card.size["width"]
    button.send_keys(Keys.ENTER)
    assert button.get_attribute("aria-pressed") == "true"
    assert card.size["width"] > 2 * before
    button.send_keys(Keys.ENTER)
    assert card.size["width"] == before


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(page: Chrome, scheme: str) -> None:
    look(page, scheme)
    faint = page.execute_script(CONTRAST)
    assert faint["seen"] > 150
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
  if (!node.getClientRects().length || node.closest("script")) continue;
  const style = getComputedStyle(node);
  const colour = node.closest("svg") ? style.fill : style.color;
  const pair = [light(numbers(colour)), light(ground(node))].sort((a, b) => b - a);
  seen += 1;
  if ((pair[0] + 0.05) / (pair[1] + 0.05) < 4.5) below.push([node.tagName, node.className, node.textContent]);
}
return {seen, below, ground: getComputedStyle(document.body).backgroundColor};
"""


@pytest.mark.parametrize("width", [320, 390, 800, 1280])
def test_nothing_runs_over_the_side(page: Chrome, width: int) -> None:
    look(page, scheme="light", width=width)
    assert page.execute_script("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("way", ["print", "no script"])
def test_on_paper_and_without_script_both_pictures_stand_side_by_side(page: Chrome, address: str, way: str) -> None:
    if way == "print":
        look(page, scheme="dark", medium="print")
    else:
        page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
        page.get(address)
    try:
        before, after = page.find_elements(By.CSS_SELECTOR, ".compare")[0].find_elements(By.CSS_SELECTOR, ".pane")
        assert after.value_of_css_property("clip-path") == "none"
        assert after.location["x"] >= before.location["x"] + before.size["width"]
        assert not page.find_element(By.ID, "code-filter").is_displayed()
        assert not page.find_element(By.CSS_SELECTOR, ".compare input").is_displayed()
        rows: list[Any] = page.find_elements(By.CSS_SELECTOR, "#quarantine-rows tbody tr")
        assert all(row.is_displayed() for row in rows)
    finally:
        page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
