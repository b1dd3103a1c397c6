"""The votes of labeling functions as columns beside the records, for end models that read them."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from metalwork.errors import DataError
from metalwork.features import Categories, Combined, Featurizer
from metalwork.votes import LabelMatrix

_PREFIX: Final = "vote of "


def reading_votes(featurizer: Featurizer, votes: LabelMatrix) -> Featurizer:
    """A featurizer that reads beside what another does the vote of each labeling function, a feature a label."""
    return Combined([featurizer, Categories(_columns(votes))])


def reads_votes(columns: Sequence[str]) -> bool:
    """Whether votes are among the columns that a featurizer reads."""
    return any(name.startswith(_PREFIX) for name in columns)


def with_votes(records: pl.DataFrame, votes: LabelMatrix) -> pl.DataFrame:
    """Records (n_points) with a column a labeling function: its vote by name, null where it abstains.

    Raises
    ------
    DataError
        When the records have a column of that name.
    """
    columns = _columns(votes)
    if taken := [name for name in columns if name in records.columns]:
        raise DataError(
            f"records must have no column {taken[0]!r} where the end model reads votes; they have one. Rename it."
        )
    return records.with_columns(
        pl.Series(name, _names(votes, j), dtype=pl.String) for j, name in enumerate(columns)
    )


def _columns(votes: LabelMatrix) -> list[str]:
    several = len(votes.schema.tasks) > 1
    pairs = zip(votes.names, votes.tasks, strict=True)
    return [f"{_PREFIX}{name}" + f" on {task}" * several for name, task in pairs]


def _names(votes: LabelMatrix, j: int) -> list[str | None]:
    """The votes of one labeling function: what it voted for by name, or by code where names are not one each."""
    alphabet, labels = votes.alphabets[j], votes.schema.labels(votes.tasks[j])
    names = [alphabet.name(code, labels) for code in range(len(alphabet))]
    if len(set(names)) < len(names):
        names = [str(code) for code in range(len(names))]
    return [None if code < 0 else names[code] for code in np.asarray(votes.codes[:, j]).tolist()]
