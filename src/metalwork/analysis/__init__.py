"""Looking at votes and predictions: LF summaries, metrics, calibration, the least certain records."""

from metalwork._public import offer
from metalwork.analysis._lf_summary import LFRow, LFSummary, TaskRow, lf_summary
from metalwork.analysis._metrics import Calibration, CalibrationBin, Confusion, Metrics, TaskMetrics, evaluate
from metalwork.analysis._uncertainty import least_certain

__all__ = [
    "Calibration",
    "CalibrationBin",
    "Confusion",
    "LFRow",
    "LFSummary",
    "Metrics",
    "TaskMetrics",
    "TaskRow",
    "evaluate",
    "least_certain",
    "lf_summary",
]

offer(__name__, globals())
