"""What a development matrix is, and the two ways to make one: from patterns and from yes/no rules."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

import metalwork as mw

Codes = npt.NDArray[np.int64]
TRAIN, DEV, TEST = 0, 1, 2
UNKNOWN = -1


class Unavailable(Exception):
    """The data that a matrix is made from is not on this machine; the text says what to install or to set."""


@dataclass(frozen=True)
class WeakMatrix:
    """A label matrix with its gold end labels, which serve scoring only.

    ``gold`` (n_points,) holds end-label codes, ``UNKNOWN`` where the data set publishes none; ``split``
    (n_points,) holds TRAIN, DEV or TEST. ``kind`` says how real it is: "real" (LFs others wrote, or annotators),
    "written" (real data, LFs written from names and general knowledge), "committee" (real data, weak classifiers).
    ``texts`` (n_points,) are the records, where they are texts; ``numbers`` (n_points, n_numbers), where they are
    measurements that no LF saw whole.
    """

    name: str
    votes: mw.LabelMatrix
    gold: Codes
    split: Codes
    kind: str
    note: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    texts: Sequence[str] | None = None
    numbers: npt.NDArray[np.float64] | None = None


def random_split(n_points: int, seed: int = 0) -> Codes:
    """70 % TRAIN, 10 % DEV, 20 % TEST, drawn by a fixed seed."""
    return np.random.default_rng(seed).choice(3, size=n_points, p=[0.7, 0.1, 0.2]).astype(np.int64)


def pattern_votes(
    texts: Sequence[str], schema: mw.TaskSchema, rules: Sequence[tuple[str, str, str]]
) -> mw.LabelMatrix:
    """One LF a rule ``(task, label, regular expression)``: it votes ``label`` where the expression is found.

    A rule that never fires is left out.
    """
    rules = list(dict.fromkeys(rules))
    codes = np.full((len(texts), len(rules)), mw.ABSTAIN, np.int16)
    for j, (task, label, pattern) in enumerate(rules):
        search = re.compile(pattern, re.IGNORECASE).search
        fires = np.fromiter((search(text) is not None for text in texts), bool, len(texts))
        codes[fires, j] = schema.label_code(task, label)
    names = [f"{label}:{pattern}" for _, label, pattern in rules]
    return _fired(mw.LabelMatrix(codes, schema, [task for task, _, _ in rules], names))


def rule_votes(
    rows: Any, labels: Sequence[str], rules: Mapping[str, tuple[Any, str] | tuple[Any, str, str]]
) -> mw.LabelMatrix:
    """One LF a rule ``name: (condition, label if true[, label if false])`` on a frame or a record of columns."""
    schema = mw.TaskSchema.flat(list(labels))
    columns = []
    for condition, *voted in rules.values():
        true = np.asarray(condition(rows) if isinstance(condition, Callable) else condition, dtype=bool)  # type: ignore[arg-type]
        otherwise = schema.label_code("label", voted[1]) if len(voted) > 1 else mw.ABSTAIN
        columns.append(np.where(true, schema.label_code("label", voted[0]), otherwise))
    return _fired(mw.LabelMatrix(np.stack(columns, axis=1), schema, names=list(rules)))


def words(task: str, label: str, *alternatives: str) -> list[tuple[str, str, str]]:
    """Rules that each look for one whole word (a trailing ``*`` allows any ending)."""
    return [
        (task, label, rf"\b{re.escape(w.rstrip('*'))}" + (r"\w*" if w.endswith("*") else r"\b"))
        for w in alternatives
    ]


def _fired(votes: mw.LabelMatrix) -> mw.LabelMatrix:
    return votes.lfs(np.flatnonzero((votes.codes >= 0).any(axis=0)))
