"""From report data to one HTML file."""

import base64
import hashlib
import os
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from metalwork._files import write_text
from metalwork._html import showable
from metalwork.report._data import ReportData
from metalwork.report._sections import sections
from metalwork.report._text import breakable, count, decimals, percent, plural, shorten


def render_report(data: ReportData) -> str:
    """The report as the text of one self-contained HTML page.

    All names and record texts are escaped; the page fetches nothing and runs no script but the one that sorts its
    tables, known by its digest, and says so in its content security policy.
    """
    environment = _environment()
    script = _script()
    page = environment.get_template("report.html.j2").render(
        data=data, sections=sections(data), script=Markup(script), script_hash=_hash(script)
    )
    return page + "\n"


def write_report(path: str | os.PathLike[str], data: ReportData) -> None:
    """Write :func:`render_report` to ``path``, whole or not at all."""
    write_text(path, render_report(data))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("metalwork.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=showable,
        trim_blocks=False,
    )
    environment.filters |= {
        "breakable": breakable,
        "count": count,
        "decimals": decimals,
        "percent": percent,
        "plural": plural,
        "px": _pixels,
        "shorten": shorten,
    }
    return environment


@cache
def _script() -> str:
    """What sorts tables. It holds nothing of the data."""
    text: str = _environment().loader.get_source(_environment(), "sort.js")[0]  # type: ignore[union-attr]
    return text


def _hash(script: str) -> str:
    """A script's digest as content security policies have it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")


def _pixels(value: float) -> str:
    """A coordinate with one decimal, or none where it is whole."""
    return f"{value:.1f}".removesuffix(".0")
