"""One self-contained HTML page about a run."""

from metalwork._public import offer
from metalwork.report._data import LFExamples, ReportData, Training, UncertainRecord
from metalwork.report._render import render_report, write_report
from metalwork.report._uncertain import uncertain_records

__all__ = [
    "LFExamples",
    "ReportData",
    "Training",
    "UncertainRecord",
    "render_report",
    "uncertain_records",
    "write_report",
]

offer(__name__, globals())
