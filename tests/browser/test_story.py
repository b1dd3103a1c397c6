"""The whole story in a browser: from an empty project to a trained model, by clicks and keys."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from metalwork.editing import ProjectEditor
from tests.browser.conftest import studio_of, windows
from tests.unit.studio.sites import HOSTILE, write_site

pytestmark = pytest.mark.filterwarnings("default")

PAGES = ("/", "/lfs", "/records", "/rules", "/rules/new", "/suggestions", "/label", "/run", "/results", "/history")
WORDS = [
    ("area", "Billing", "invoice, refund, charged, payment, bill"),
    ("area", "Technical", "app, portal, client, dashboard, log in, password"),
    ("billing", "Refund", "refund, money back, reimbursement"),
    ("billing", "Invoice", "invoice, receipt*, bill"),
    ("technical", "Crash", "crash*, freezes, hangs, error"),
    ("technical", "Login", "log in, password, sign in, code"),
]
KEYS = {"Refund": "11", "Invoice": "12", "Crash": "21", "Login": "22"}
UNLABELLED = """
        const named = (one) => one.labels?.length || one.getAttribute("aria-label") || one.type === "hidden";
        [...document.querySelectorAll("input, select, textarea, iframe")]
            .filter((one) => one.tagName === "IFRAME" ? !one.title : !named(one)).map((one) => one.outerHTML)
"""


def an_expert(text: str) -> str:
    """What somebody who knows these tickets would say."""
    found = text.lower()
    if re.search(r"log ?in|password|sign|code|two-factor|locked|account (is )?blocked", found):
        return "Login"
    if re.search(r"crash|free|frozen|hang|error|close|white screen|respond|slow", found):
        return "Crash"
    if re.search(r"refund|money back|reimburs|twice|returned|cancel|compensat|reverse", found):
        return "Refund"
    return "Invoice"


def empty_project(folder: Path) -> Path:
    """What ``metalwork init`` makes, without its labeling functions and its dev records."""
    subprocess.run(
        [sys.executable, "-m", "metalwork", "init", str(folder / "tickets")], check=True, capture_output=True
    )
    path = folder / "tickets/project.yaml"
    text = path.read_text(encoding="utf-8")
    text = text[: text.index("lfs:\n")] + text[text.index("features:") :]
    text = "".join(line for line in text.splitlines(keepends=True) if not line.lstrip().startswith("dev:"))
    path.write_text(text.replace("hidden_sizes: [64]", "hidden_sizes: [16]\n  max_epochs: 5"), encoding="utf-8")
    for name in ("lfs.py", "data/dev.csv"):
        (path.parent / name).unlink()
    return path


def wait_until_done(page: Any) -> None:
    """Until nothing runs, and the page has heard of it."""
    page.wait_for_function("() => !document.querySelector('#status progress')", timeout=120_000)
    assert page.locator("#status .error").count() == 0, page.locator("#status").inner_text()


def label_by_keys(page: Any, n_records: int) -> None:
    page.get_by_role("link", name="Label", exact=True).click()
    page.wait_for_load_state("networkidle")
    for _ in range(n_records):
        place = page.locator("#labelling .id").inner_text()
        keys = KEYS[an_expert(page.locator("#labelling .body").inner_text())]
        page.keyboard.press(keys[0])
        page.get_by_text("no finer").wait_for()
        page.keyboard.press(keys[1])
        page.wait_for_function("place => document.querySelector('#labelling .id').innerText !== place", arg=place)


def write_rules(page: Any) -> None:
    for task, label, words in WORDS:
        page.get_by_role("link", name="Rules", exact=True).click()
        page.get_by_role("link", name="New rule").click()
        if task != "area":
            page.locator("#task").select_option(task)
            page.wait_for_function(
                "label => [...document.querySelectorAll('#label option')].some(o => o.text === label)", arg=label
            )
        page.locator("#label").select_option(label)
        page.locator("#words").focus()
        page.keyboard.type(words)
        page.get_by_text(re.compile(r"^\d+ of 300 records")).wait_for()
        page.locator("#name").fill(f"words of {label}")
        if (task, label, words) != WORDS[-1]:
            page.locator("input[name=run]").uncheck()
        page.get_by_role("button", name="Save into the project file").focus()
        page.keyboard.press("Enter")
        page.get_by_text("Saved into the project file.").wait_for()


def test_from_an_empty_project_to_a_trained_model(tmp_path: Path, chromium: Any) -> None:
    path = empty_project(tmp_path)
    with studio_of(path) as address, windows(chromium) as opened:
        page = opened(address)
        page.get_by_text("There is no labeling function yet").wait_for()

        label_by_keys(page, 16)
        assert re.search(r"^  dev: \S+", ProjectEditor(path).text, re.MULTILINE)
        page.keyboard.press("u")
        page.get_by_text("its label is taken back").wait_for()
        assert "15 records of dev" in page.locator("#labelling").inner_text()

        write_rules(page)
        wait_until_done(page)
        assert len(ProjectEditor(path).rules) == len(WORDS)
        assert "# what the end model reads" in path.read_text(encoding="utf-8")
        page.get_by_role("link", name="Train", exact=True).click()
        page.get_by_role("button", name="Votes and labels").click()
        wait_until_done(page)

        page.get_by_role("link", name="Suggestions").click()
        page.locator("#words form, #words p").first.wait_for()
        page.wait_for_function("() => !document.querySelector('#words').innerText.includes('Looking')")
        if page.locator("#words form").count():
            page.get_by_role("button", name="Accept").first.click()
            page.get_by_text("written into the project file").wait_for()
            wait_until_done(page)
            assert len(ProjectEditor(path).rules) == len(WORDS) + 1

        page.get_by_role("link", name="Records", exact=True).click()
        page.keyboard.press("/")
        page.keyboard.type("invoice")
        page.locator("mark.searched, mark.found").first.wait_for()

        page.get_by_role("link", name="Train", exact=True).click()
        page.get_by_role("button", name="Train, predict, report").click()
        page.locator("#status progress").wait_for()
        wait_until_done(page)

        page.get_by_role("link", name="Results").click()
        accuracy = page.locator("tr", has_text=re.compile("^End model")).first.locator("td").first.inner_text()
        assert float(accuracy.split()[0]) >= 50
        page.frame_locator("iframe.report").get_by_role("heading", name="Results").wait_for()

        page.get_by_role("link", name="History").click()
        page.get_by_role("button", name="Compare").click()
        page.get_by_role("heading", name="Labeling functions").wait_for()
        look_at_all(address, page, opened)


def look_at_all(address: str, page: Any, opened: Callable[..., Any]) -> None:
    """Every page, wide and narrow, light and dark: nothing sticks out, and every field has a name."""
    base = address.split("/?")[0]
    folder = os.environ.get("METALWORK_SCREENSHOTS")
    record = page.goto(f"{base}/records") and page.locator("article a").first.get_attribute("href")
    lf = page.goto(f"{base}/lfs") and page.locator("tbody th a").first.get_attribute("href")
    for width, scheme in ((1200, "light"), (1200, "dark"), (400, "light"), (400, "dark")):
        window = opened(address, width, scheme)
        for way in (*PAGES, record, lf):
            window.goto(base + way)
            window.wait_for_load_state("networkidle")
            assert window.evaluate("document.documentElement.scrollWidth") <= width, f"{way} sticks out at {width}"
            assert window.evaluate(UNLABELLED) == [], way
            if folder:
                name = re.sub(r"\W+", "-", way.split("?")[0]).strip("-") or "tree"
                window.screenshot(path=Path(folder) / f"{name}-{width}-{scheme}.png", full_page=True)


def test_a_page_is_walked_by_keys_alone(tmp_path: Path, chromium: Any) -> None:
    with studio_of(write_site(tmp_path)) as address, windows(chromium) as opened:
        page = opened(address)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.innerText") == "Skip to the content"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        page.goto(address.split("/?")[0] + "/rules/new")
        assert page.evaluate("document.activeElement.id") == "words"
        page.keyboard.press("Shift+Tab")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none"


def test_hostile_records_do_nothing(tmp_path: Path, chromium: Any) -> None:
    with studio_of(write_site(tmp_path)) as address, windows(chromium) as opened:
        page = opened(address)
        page.get_by_role("link", name="Train", exact=True).click()
        page.get_by_role("button", name="Votes and labels").click()
        wait_until_done(page)
        for way in ("/records", "/records/train/0", "/label?split=train&row=1", "/rules/edit?name=refunds"):
            page.goto(address.split("/?")[0] + way)
            page.wait_for_load_state("networkidle")
            assert page.evaluate("[...document.scripts].map(s => new URL(s.src).pathname)") == [
                "/static/htmx.min.js",
                "/static/studio.js",
            ]
            assert page.locator("main img, main b, main style").count() == 0
        page.goto(address.split("/?")[0] + "/records")
        assert page.get_by_text(HOSTILE[0]).count() > 0
