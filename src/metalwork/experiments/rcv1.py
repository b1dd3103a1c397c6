"""RCV1: financial news as bags of words, in four classes under two sectors (paper, Example 3.1).

The records are word counts: word order, numbers and letter case are gone. ``text`` repeats each word as often as
it occurred, in sorted order, so that single words can be looked for and counted, and phrases cannot.

Reference: Lewis, Yang, Rose and Li, "RCV1: A new benchmark collection for text categorization research", 2004.
"""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import polars as pl

from metalwork.data import find_data
from metalwork.errors import DataError
from metalwork.experiments._dataset import Codes, Dataset
from metalwork.experiments._finance_lexicons import make_functions
from metalwork.experiments._rcv1_words import EVIDENCE
from metalwork.schema import TaskSchema

__all__ = ["LABELING_FUNCTIONS", "SCHEMA", "load"]

SCHEMA: Final = TaskSchema.from_dict(
    {
        "task": "sector",
        "labels": [
            {"Corporate": {"task": "corporate", "labels": ["Performance", "Funding"]}},
            {"Markets": {"task": "markets", "labels": ["Money", "Commodity"]}},
        ],
    }
)

LABELING_FUNCTIONS: Final = make_functions(EVIDENCE)

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


def load(path: str | os.PathLike[str] | None = None) -> Dataset:
    """Read the records: 600 for training, 50 for development and 241 for the test.

    Parameters
    ----------
    path : path, optional
        ``rcv1.jsonl`` or the folder that holds it; found among the data sets by default.

    Returns
    -------
    Dataset
        Frames have the columns ``id`` and ``text``. Training labels are not published.

    Raises
    ------
    DataError
        When the file is missing or a line is no such record, naming the line.
    """
    records = _read(find_data("rcv1", path))
    train, dev, test = ([record for record in records if record.split == name] for name in _SPLITS)
    return Dataset("rcv1", SCHEMA, _frame(train), _frame(dev), _frame(test), _codes(dev), _codes(test))


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


def _frame(records: Iterable[_Record]) -> pl.DataFrame:
    rows = [(record.id, record.text) for record in records]
    return pl.DataFrame(rows, schema={"id": pl.Int64, "text": pl.String}, orient="row")


def _codes(records: Iterable[_Record]) -> Codes:
    return SCHEMA.end_codes(record.label for record in records)
