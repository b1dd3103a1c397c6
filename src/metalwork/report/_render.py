"""From report data to one HTML file."""

import os

from metalwork._files import write_text
from metalwork.report._data import ReportData


def render_report(data: ReportData) -> str:
    """The report as the text of one self-contained HTML page: no scripts, nothing fetched from elsewhere."""
    from markupsafe import escape

    return f"<!doctype html><title>{escape(data.title)}</title>"


def write_report(path: str | os.PathLike[str], data: ReportData) -> None:
    """Write :func:`render_report` to ``path``, whole or not at all."""
    write_text(path, render_report(data))
