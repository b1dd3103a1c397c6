"""A small project, records that attack whoever shows them, and a client that may come in."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from starlette.types import ASGIApp

from metalwork.studio._app import build_app
from metalwork.studio._security import Key
from metalwork.studio._state import Studio

HOSTILE = (
    "<script>alert(1)</script>",
    "</mark></textarea><img src=x onerror=alert(2)>",
    '"><a href="javascript:alert(3)">refund</a>',
    "refund \u202e\u2066gnp.exe\u2069 </title><style>*{display:none}</style>",
    "refund {{ 7 * 7 }} {% raw %} ${alert(4)} refund",
    "refund' hx-get='/run/start' hx-trigger='load'",
)

PROJECT = """\
name: Tickets <b>bold</b>
schema:
  task: area
  labels:
    - Billing:
        task: billing
        labels: [Refund, Invoice]
    - Technical
data:
  train: train.jsonl
  dev: dev.jsonl
  label: label
lfs:
  cache: false
  rules: # kept
    - {keywords: [refund], task: area, label: Billing, name: refunds}
    - {keywords: [crash, freezes], task: area, label: Technical, name: crashes}
    - {keywords: [refund], task: billing, label: Refund, name: back}
    - {keywords: [invoice], task: billing, label: Invoice, name: papers}
features:
  text: text
  min_df: 1
end_model:
  max_epochs: 2
  hidden_sizes: [8]
"""


def write_site(folder: Path, project: str = PROJECT) -> Path:
    """A project whose records and name are hostile; returns its file."""
    texts = [
        *HOSTILE,
        "the invoice is wrong",
        "it crashes: the app freezes",
        "no refund yet",
        "invoice and refund",
    ] * 4
    train = [{"text": f"{text} {i}", "amount": i} for i, text in enumerate(texts)]
    labels = ["Refund", "Invoice", "Technical", "Refund"]
    known = ["a refund, please", "an invoice", "the app freezes", "refund the invoice"]
    dev = [{"text": text, "amount": 0, "label": label} for text, label in zip(known, labels, strict=True)]
    for name, rows in (("train", train), ("dev", dev)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    path = folder / "project.yaml"
    path.write_text(project, encoding="utf-8")
    return path


class Visitor:
    """Asks an application in this process; an error that it lets through fails the test."""

    def __init__(self, app: ASGIApp, address: str, headers: Mapping[str, str] | None = None) -> None:
        self.app, self._address, self._headers = app, address, dict(headers or {})

    def ask(self, method: str, path: str, headers: Any = None, content: Any = None) -> httpx.Response:
        """The answer."""
        given = headers if isinstance(headers, list) else {**self._headers, **(headers or {})}
        return asyncio.run(self._ask(method, path, given, content))

    def get(self, path: str, **headers: str) -> httpx.Response:
        """A page, or a part of one."""
        return self.ask("GET", path, {name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, path: str, **fields: Any) -> httpx.Response:
        """Send a form, as the pages do."""
        body = str(httpx.QueryParams(fields)).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded", "HX-Request": "true"}
        return self.ask("POST", path, kind, body)

    async def _ask(self, method: str, path: str, headers: Any, content: Any) -> httpx.Response:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url=self._address, timeout=60
        ) as client:
            return await client.request(method, path, headers=headers, content=content)


@contextmanager
def visiting(path: Path, port: int = 8765) -> Iterator[tuple[Visitor, Studio]]:
    """Somebody who has opened the studio of a project."""
    studio, key = Studio(path), Key("t0ken", port)
    studio.patience = 20.0
    address = f"http://127.0.0.1:{port}"
    headers = {"Cookie": f"{key.cookie}={key.token}", "Origin": address}
    try:
        yield Visitor(build_app(studio, key), address, headers), studio
    finally:
        studio.stop()
