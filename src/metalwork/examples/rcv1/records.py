"""Financial news as bags of words: RCV1.

The records are word counts: word order, numbers and letter case are gone. ``text`` repeats each word as often as
it occurred, in sorted order, so that single words can be looked for and counted, and phrases cannot.

Reference: Lewis, Yang, Rose and Li, "RCV1: A new benchmark collection for text categorization research", 2004.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import polars as pl

from metalwork.data import find_data
from metalwork.errors import DataError

_END_LABELS: Final = {
    "Corporate Performance": "Performance",
    "Corporate Funding": "Funding",
    "Money Markets": "Money",
    "Commodity Markets": "Commodity",
}
_SPLITS: Final = ("train", "dev", "test")


class _Record(NamedTuple):
    id: int
    split: str
    text: str
    label: str | None


def load() -> pl.DataFrame:
    """All records, with the columns ``id``, ``split``, ``text`` and ``label``; train labels are not published.

    Raises
    ------
    DataError
        When the file is missing or a line is no such record, naming the line.
    """
    kinds = {"id": pl.Int64, "split": pl.String, "text": pl.String, "label": pl.String}
    return pl.DataFrame(_read(find_data("rcv1")), schema=kinds, orient="row")


def _read(path: Path) -> list[_Record]:
    records = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            records.append(_record(json.loads(line)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(
                f"Every line must be a record of RCV1; got {type(error).__name__} {error} at {path}:{number}. "
                "Fetch the file again."
            ) from None
    return records


def _record(fields: Mapping[str, Any]) -> _Record:
    counts: Mapping[str, int] = fields["bow"]
    text = " ".join(word for word, count in sorted(counts.items()) for _ in range(count))
    if fields["split"] not in _SPLITS:
        raise ValueError(f"split {fields['split']!r}")
    label = None if fields["split"] == "train" else _END_LABELS[fields["label"]]
    return _Record(int(fields["id"]), fields["split"], text, label)
