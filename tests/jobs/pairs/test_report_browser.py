"""The preview and the pairs report in a real browser: nothing is blocked, masks show, charts have room."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from jobs.pairs.report.collect import collect
from jobs.pairs.report.render import render
from pipeline.run import current_run
from pipeline.storage import Folder

from .conftest import Studio

CHROMIUM = Path("/usr/bin/chromium")
DRIVER = Path("/usr/bin/chromedriver")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
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
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options=options, service=Service(str(DRIVER)))
    yield driver
    driver.quit()


def shown(browser: Chrome, page: Path) -> None:
    browser.get_log("browser")
    browser.get(page.as_uri())
    assert not browser.get_log("browser")
    width = browser.execute_script("return document.documentElement.scrollWidth - innerWidth")
    assert width <= 0, "the page is wider than its window"


def test_masks_of_a_preview_show_when_asked_for(browser: Chrome, studio: Studio) -> None:
    page = studio.root / "preview.html"
    picture = studio.root / "photographs/box1/portrait.png"
    made = studio.call("pairs", "preview", "scratch-repair", picture, "--variants", "3", "--out", page)
    assert made.exit_code == 0, made.output
    shown(browser, page)
    masks = browser.find_elements(By.CSS_SELECTOR, ".stack .mask")
    assert [mask.value_of_css_property("opacity") for mask in masks] == ["0"] * 3
    browser.find_element(By.ID, "masks").click()
    assert [mask.value_of_css_property("opacity") for mask in masks] == ["0.75"] * 3
    for mask in masks:
        below = mask.find_element(By.XPATH, "preceding-sibling::img")
        assert mask.rect == below.rect
    browser.find_element(By.ID, "masks").click()
    browser.execute_script("arguments[0].focus()", browser.find_element(By.CSS_SELECTOR, ".stack[tabindex]"))
    assert [mask.value_of_css_property("opacity") for mask in masks] == ["0.75", "0", "0"]


@pytest.mark.parametrize("width", [1280, 420])
def test_the_report_fits_its_window(browser: Chrome, studio: Studio, width: int) -> None:
    studio.run(studio.job(degrade={"recipe": "archival-print", "variants": 2}))
    run = current_run(Folder(str(studio.root / "pairs")))
    assert run is not None
    page = studio.root / "report.html"
    page.write_text(render(collect(run)), encoding="utf-8")
    browser.set_window_size(width, 900)
    shown(browser, page)
    charts = browser.find_elements(By.CSS_SELECTOR, "#drawn svg.histogram")
    assert len(charts) > 40
    assert all(chart.size["width"] > 150 for chart in charts)
    for name in ("after", "before"):
        stroke = browser.find_element(By.CSS_SELECTOR, f"#drawn path.{name}").value_of_css_property("stroke-dasharray")
        assert (stroke != "none") == (name == "before")
