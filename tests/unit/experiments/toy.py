"""A made-up news data set of two levels, small enough to run the whole protocol on in seconds."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

import metalwork as mw
from metalwork.pipeline import EndModelSettings, FeatureSettings, Job, Split

SCHEMA = mw.TaskSchema.from_dict(
    {
        "task": "sector",
        "labels": [
            {"Corporate": {"task": "corporate", "labels": ["Performance", "Funding"]}},
            {"Markets": {"task": "markets", "labels": ["Money", "Commodity"]}},
        ],
    }
)

_WORDS = (
    ("company", "profit", "quarter"),
    ("company", "bond", "issue"),
    ("market", "rates", "dollar"),
    ("market", "oil", "barrels"),
)
_FILLER = ("said", "today", "monday", "sources", "analysts", "report", "year", "new")

FEATURES = FeatureSettings(text="text", min_df=1)
END_MODEL = EndModelSettings(hidden_sizes=[8, 4], max_epochs=3)


def labeling_functions() -> list[mw.LabelingFunction]:
    """Two LFs for the root task, one or two for each leaf; about one record in twelve gets no vote."""
    return [
        mw.keywords("sector", "Corporate", ["company"], field="text"),
        mw.keywords("sector", "Markets", ["market"], field="text"),
        mw.keywords("corporate", "Performance", ["profit", "quarter"], field="text"),
        mw.keywords("corporate", "Funding", ["bond"], field="text"),
        mw.keywords("markets", "Money", ["dollar"], field="text"),
        mw.keywords("markets", "Commodity", ["oil"], field="text"),
    ]


def job(
    hidden_gold: bool = True, schema: mw.TaskSchema = SCHEMA, lfs: Sequence[mw.LabelingFunction] | None = None
) -> Job:
    """Train 120, dev 20, test 40 records of evenly drawn classes."""
    rng = np.random.default_rng(7)
    (train, train_gold), *known = (_split(rng, n) for n in (120, 20, 40))
    splits = {"train": Split(train, train_gold if hidden_gold else None)}
    splits |= {name: Split(*parts) for name, parts in zip(("dev", "test"), known, strict=True)}
    return Job.of_splits("toy", schema, lfs or labeling_functions(), splits, FEATURES, end_model=END_MODEL)


def _split(rng: np.random.Generator, n_points: int) -> tuple[pl.DataFrame, Any]:
    labels = rng.integers(0, len(_WORDS), n_points)
    texts = []
    for label in labels:
        told = [word for word in _WORDS[label] if rng.random() < 0.6]
        noise = [str(rng.choice(_WORDS[rng.integers(0, 4)]))] if rng.random() < 0.2 else []
        texts.append(" ".join([*told, *noise, *rng.choice(_FILLER, 4)]))
    return pl.DataFrame({"text": texts}), labels.astype(np.int64)
