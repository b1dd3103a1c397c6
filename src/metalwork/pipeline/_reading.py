"""Votes and records as the models of a run read them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from metalwork.data import concatenate
from metalwork.errors import ConfigError
from metalwork.features import Featurizer
from metalwork.pipeline._features import build_featurizer
from metalwork.pipeline._split import Codes, Split
from metalwork.pipeline._votes import reading_votes, with_votes
from metalwork.votes import LabelMatrix

if TYPE_CHECKING:
    from metalwork.pipeline._found import RunResults


def voted(votes: LabelMatrix) -> Codes:
    """Rows (n_voted,) on which some labeling function voted."""
    return np.flatnonzero((votes.codes >= 0).any(axis=1)).astype(np.int64)


def no_votes() -> ConfigError:
    """What is wrong with a training split on which no labeling function votes."""
    return ConfigError(
        "Labeling functions must vote on at least one training record; all abstain on every one. "
        "Look at the coverage of each with: metalwork apply."
    )


def sample(run: "RunResults", most: int) -> tuple[LabelMatrix, pl.DataFrame]:
    """Votes on training records, and these: all, or every second or third, where they are more than ``most``."""
    sizes = run.sizes("train")
    step = max(1, -(-sum(sizes) // most))
    found, start = list[tuple[LabelMatrix, pl.DataFrame]](), 0
    for part, votes in zip(run.records_in_parts("train"), run.votes_in_parts("train"), strict=True):
        rows = np.arange(-start % step, len(votes), step)
        found.append((votes.rows(rows), part.records[rows]))
        start += len(votes)
    return LabelMatrix.concatenate([votes for votes, _ in found]), concatenate([frame for _, frame in found])


def read_by_label_model(run: "RunResults", split: str, reads: bool) -> Iterator[pl.DataFrame | None]:
    """The records of each shard where the label model reads them; None where it goes by the votes alone."""
    if reads:
        return (part.records for part in run.records_in_parts(split))
    return (None for _ in run.sizes(split))


def end_model_featurizer(run: "RunResults") -> Featurizer:
    """What the end model reads of the records, and of the votes where the settings say so."""
    found = build_featurizer(run.job.features)
    return reading_votes(found, next(iter(run.votes_in_parts("train")))) if run.job.features.votes else found


def read_by_end_model(run: "RunResults", records: pl.DataFrame, votes: LabelMatrix) -> pl.DataFrame:
    """The records, with their votes where the end model reads these."""
    return with_votes(records, votes) if run.job.features.votes else records


def dev_votes(run: "RunResults") -> tuple[LabelMatrix, Codes] | None:
    """Votes on the dev records of which anything is known, and what is known of their tasks."""
    found = [(votes.rows(rows), gold) for rows, gold, votes, _ in known_dev(run, text=False)]
    if not found:
        return None
    return LabelMatrix.concatenate([votes for votes, _ in found]), np.concatenate([gold for _, gold in found])


def dev_records(run: "RunResults") -> tuple[pl.DataFrame, Codes] | None:
    parts = known_dev(run, text=True)
    found = [(read_by_end_model(run, part.records[rows], v.rows(rows)), gold) for rows, gold, v, part in parts]
    if not found:
        return None
    return concatenate([frame for frame, _ in found]), np.concatenate([gold for _, gold in found])


def known_dev(run: "RunResults", text: bool) -> Iterator[tuple[Codes, Codes, LabelMatrix, Split]]:
    """Of each part of dev: its rows of which anything is known, what, and the part's votes and records."""
    if "dev" not in run.job.splits or not run.job.split("dev").n_known:
        return
    for part, votes in zip(run.records_in_parts("dev", text), run.votes_in_parts("dev"), strict=True):
        if (rows := part.known).size:
            yield rows, part.gold[rows], votes, part
