"""A real browser: the system's Chromium, driven by Playwright. Where either is missing, these are skipped."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed; scripts/test-browser says how.")
    api = pytest.importorskip("playwright.sync_api", reason="scripts/test-browser installs playwright")
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    with api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"] if as_root else [])
        yield browser
        browser.close()


@contextmanager
def studio_of(project: Path) -> Iterator[str]:
    """The address of a studio that runs as a process."""
    command = [sys.executable, "-u", "-m", "metalwork", "studio", str(project), "--port", "0", "--no-browser"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        if found is None:
            process.kill()
            pytest.fail(process.communicate()[1])
        yield found[0]
    finally:
        process.terminate()
        _, said = process.communicate(timeout=30)
    assert "Traceback" not in said


_LEFT = ("htmx:afterRequest", "htmx:sendAbort")
"""What htmx says of a request that was under way when its page was left; a failed one is a responseError, too."""


@contextmanager
def windows(chromium: Any) -> Iterator[Callable[..., Any]]:
    """Opens a running studio in a window of its own; what the browser complains of fails the test."""
    contexts, complaints = [], list[str]()

    def open_at(address: str, width: int = 1200, scheme: str = "light") -> Any:
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on(
            "console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
        page.goto(address)
        page.wait_for_url(re.compile(r"/$"))
        return page

    yield open_at
    for context in contexts:
        context.close()
    assert [said for said in complaints if not said.startswith(_LEFT)] == []
