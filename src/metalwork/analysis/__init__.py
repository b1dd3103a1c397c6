"""Looking at votes and predictions: LF summaries, agreement, metrics, calibration, the least certain records."""

from metalwork._public import offer
from metalwork.analysis._agreement import Agreement, agreement
from metalwork.analysis._calibration import Calibration, CalibrationBin
from metalwork.analysis._clashes import admitted_end_labels
from metalwork.analysis._confusion import Confusion
from metalwork.analysis._flat import LabelMetrics
from metalwork.analysis._hierarchical import DepthMetrics
from metalwork.analysis._lf_confusion import lf_confusion
from metalwork.analysis._lf_counts import conflicting_votes
from metalwork.analysis._lf_summary import LFRow, LFSummary, TaskRow, lf_summary
from metalwork.analysis._metrics import Metrics, TaskMetrics, evaluate
from metalwork.analysis._paired import doubt_of_gain
from metalwork.analysis._uncertainty import least_certain
from metalwork.analysis._wilson import PairedChange, Share

__all__ = [
    "Agreement",
    "Calibration",
    "CalibrationBin",
    "Confusion",
    "DepthMetrics",
    "LFRow",
    "LFSummary",
    "LabelMetrics",
    "Metrics",
    "PairedChange",
    "Share",
    "TaskMetrics",
    "TaskRow",
    "admitted_end_labels",
    "agreement",
    "conflicting_votes",
    "doubt_of_gain",
    "evaluate",
    "least_certain",
    "lf_confusion",
    "lf_summary",
]

offer(__name__, globals())
