"""From report data to one HTML file."""

import os
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from metalwork._files import write_text
from metalwork._html import showable
from metalwork.report._data import ReportData
from metalwork.report._sections import sections
from metalwork.report._text import breakable, count, decimals, percent, plural, shorten


def render_report(data: ReportData) -> str:
    """The report as the text of one self-contained HTML page.

    All names and record texts are escaped; the page runs no script and fetches nothing, and says so in its
    content security policy.
    """
    template = _environment().get_template("report.html.j2")
    return template.render(data=data, sections=sections(data)) + "\n"


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


def _pixels(value: float) -> str:
    """A coordinate with one decimal, or none where it is whole."""
    return f"{value:.1f}".removesuffix(".0")
