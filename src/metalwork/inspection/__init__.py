"""Questions over a run: records by what is said of them, labeling functions, labels. Headless."""

from metalwork._public import offer
from metalwork.inspection._estimates import Estimate
from metalwork.inspection._inspection import Inspection
from metalwork.inspection._label_cards import LabelCard, Scores
from metalwork.inspection._lf_cards import LFCard
from metalwork.inspection._lf_pairs import LFPairs
from metalwork.inspection._query import Query
from metalwork.inspection._record import InspectedRecord, Moved, RecordPage, Segment, Span
from metalwork.inspection._split import Records, SplitData
from metalwork.inspection._without import WithoutLF

__all__ = [
    "Estimate",
    "InspectedRecord",
    "Inspection",
    "LFCard",
    "LFPairs",
    "LabelCard",
    "Moved",
    "Query",
    "RecordPage",
    "Records",
    "Scores",
    "Segment",
    "Span",
    "SplitData",
    "WithoutLF",
]

offer(__name__, globals())
