"""What a page in a real browser asked for."""

from __future__ import annotations

import json

from selenium.webdriver import Chrome


def requests_of(browser: Chrome) -> list[str]:
    """URLs that pages asked for since the last look, in order; without those of the browser's own first tab."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    return [url for url in urls if not url.startswith("chrome:")]
