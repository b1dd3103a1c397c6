"""Task trees that the tests share, in the nested form."""

from typing import Any

SECTORS: dict[str, Any] = {
    "task": "sector",
    "labels": [
        {"Corporate": {"task": "corporate", "labels": ["Performance", "Funding"]}},
        {"Markets": {"task": "markets", "labels": ["Money", "Commodity"]}},
    ],
}
TWINS: dict[str, Any] = {
    "task": "sector",
    "labels": [
        {"Corporate": {"task": "corporate", "labels": ["Performance", "Other"]}},
        {"Markets": {"task": "markets", "labels": ["Money", "Other"]}},
        "Neither",
    ],
}
_FIFTH = {"task": "t5", "labels": ["e5", "f5"]}
_FOURTH = {"task": "t4", "labels": [{"below4": _FIFTH}, "d4"]}
_THIRD = {"task": "t3", "labels": ["c3", {"below3": _FOURTH}, "z3"]}
FIVE_LEVELS: dict[str, Any] = {
    "task": "t1",
    "labels": ["a1", {"below1": {"task": "t2", "labels": ["b2", {"below2": _THIRD}]}}, "z1"],
}
