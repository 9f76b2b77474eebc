"""What a page in a real browser asked for."""

from __future__ import annotations

import json

from selenium.webdriver import Chrome


def requests_of(browser: Chrome) -> list[str]:
    """URLs that pages asked for since the last look, in order.

    What the browser's own first tab asks for (`chrome:` documents, which also load `data:` images, and late on a busy
    machine) is left out.
    """
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    sent = [m["params"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    return [one["request"]["url"] for one in sent if not one["documentURL"].startswith("chrome:")]
