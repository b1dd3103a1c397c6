"""Questions over a run: records by what is said of them, labeling functions, labels. Headless."""

from metalwork._public import offer
from metalwork.inspection._inspection import Inspection
from metalwork.inspection._query import Query
from metalwork.inspection._record import InspectedRecord, Moved, RecordPage, Segment, Span
from metalwork.inspection._split import Records, SplitData

__all__ = [
    "InspectedRecord",
    "Inspection",
    "Moved",
    "Query",
    "RecordPage",
    "Records",
    "Segment",
    "Span",
    "SplitData",
]

offer(__name__, globals())
