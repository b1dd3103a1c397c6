"""Labeling functions, and applying them to records."""

from metalwork._public import offer
from metalwork.labeling._apply import apply, apply_shards, in_alphabets_of, warn_of_lost
from metalwork.labeling._async import run as run_async
from metalwork.labeling._batch import BatchRule
from metalwork.labeling._checks import column_faults, function_faults
from metalwork.labeling._conditions import equals, threshold
from metalwork.labeling._declared import ReadRecord
from metalwork.labeling._explain import Explanation, Match
from metalwork.labeling._fingerprint import functions_digest
from metalwork.labeling._function import (
    AsksSchema,
    LabelingFunction,
    ReadsRecords,
    from_callable,
    from_column,
    labeling_function,
    runs_python,
)
from metalwork.labeling._guard import can_time
from metalwork.labeling._held import HeldRecords
from metalwork.labeling._inputs import names_read
from metalwork.labeling._negation_words import NEGATIONS
from metalwork.labeling._preprocess import Preprocessor, preprocessor, preprocessors_in
from metalwork.labeling._returns import ByTask, Not, Spaces
from metalwork.labeling._soft import from_probabilities
from metalwork.labeling._store import Entry, Store, StoreSummary, store_at
from metalwork.labeling._text import WordList, keywords, regex, word_list
from metalwork.labeling._text_rules import texts_matching
from metalwork.labeling._total import VoteTotal

__all__ = [
    "NEGATIONS",
    "AsksSchema",
    "BatchRule",
    "ByTask",
    "Entry",
    "Explanation",
    "HeldRecords",
    "LabelingFunction",
    "Match",
    "Not",
    "Preprocessor",
    "ReadRecord",
    "ReadsRecords",
    "Spaces",
    "Store",
    "StoreSummary",
    "VoteTotal",
    "WordList",
    "apply",
    "apply_shards",
    "can_time",
    "column_faults",
    "equals",
    "from_callable",
    "from_column",
    "from_probabilities",
    "function_faults",
    "functions_digest",
    "in_alphabets_of",
    "keywords",
    "labeling_function",
    "names_read",
    "preprocessor",
    "preprocessors_in",
    "regex",
    "run_async",
    "runs_python",
    "store_at",
    "texts_matching",
    "threshold",
    "warn_of_lost",
    "word_list",
]

offer(__name__, globals())
