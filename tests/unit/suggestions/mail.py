"""A made-up mailbox of which all is known: words by label, and labeling functions that are right."""

from functools import cache
from typing import Any

import numpy as np
import polars as pl

import metalwork as mw
from metalwork.inspection import Inspection, Records, SplitData

SCHEMA = mw.TaskSchema.from_dict(
    {
        "task": "kind",
        "labels": [
            {"Billing": {"task": "billing", "labels": ["Invoice", "Refund"]}},
            {"Travel": {"task": "travel", "labels": ["Flight", "Hotel"]}},
        ],
    }
)
UNDER = {"Billing": ["Invoice", "Refund"], "Travel": ["Flight", "Hotel"]}
WORDS = {
    "Invoice": ["invoice", "amount", "due", "overdue", "statement", "ledger"],
    "Refund": ["refund", "money", "back", "return", "reimburse", "credited"],
    "Flight": ["flight", "airport", "boarding", "gate", "luggage", "pilot"],
    "Hotel": ["hotel", "room", "night", "checkin", "lobby", "breakfast"],
}
COMMON = [f"common{i}" for i in range(40)]


@cache
def mailbox(n_points: int = 2000, seed: int = 0) -> pl.DataFrame:
    """Texts of eight words, three to four of them by label, and their labels."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(list(WORDS), n_points, p=[0.4, 0.25, 0.25, 0.1])
    texts = []
    for label in labels.tolist():
        own = rng.choice(WORDS[label], 3, replace=False).tolist()
        other = rng.choice(WORDS[rng.choice(list(WORDS))], 1).tolist() if rng.random() < 0.3 else []
        texts.append(" ".join([*own, *other, *rng.choice(COMMON, 4).tolist()]))
    return pl.DataFrame({"text": texts, "label": labels.tolist()})


GOOD = [
    mw.keywords("billing", "Invoice", ["invoice", "amount"], name="invoice"),
    mw.keywords("billing", "Invoice", ["due"], name="due"),
    mw.keywords("billing", "Refund", ["refund", "money"], name="refund"),
    mw.keywords("billing", "Refund", ["back"], name="back"),
    mw.keywords("travel", "Flight", ["flight", "airport"], name="flight"),
    mw.keywords("travel", "Flight", ["boarding"], name="boarding"),
    mw.keywords("travel", "Hotel", ["hotel", "room"], name="hotel"),
    mw.keywords("travel", "Hotel", ["night"], name="night"),
]


def run_of(lfs: list[mw.LabelingFunction], n_dev: int = 60) -> mw.Run:
    """A run whose label model is fitted; without ``n_dev``, without dev."""
    records = mailbox()
    dev = records.tail(n_dev) if n_dev else None
    return mw.Run.of(SCHEMA, lfs, train=records.head(1900).select("text"), dev=dev).fit()


def without_lfs(schema: mw.TaskSchema, train: pl.DataFrame, dev: pl.DataFrame | None = None) -> Inspection:
    """An inspection of records on which nothing votes."""

    def votes(number: int) -> mw.LabelMatrix:
        return mw.LabelMatrix(np.empty((len(train), 0), np.int8), schema, tasks=[])

    def data(frame: pl.DataFrame, known: Any = None) -> SplitData:
        return SplitData(
            sizes=(frame.height,),
            votes=votes,
            rows=lambda rows: Records(frame[rows.tolist()].select("text"), tuple(map(str, rows))),
            frames=lambda: [frame.select("text")],
            known=known,
        )

    splits = {"train": data(train)}
    if dev is not None:
        splits["dev"] = data(dev, schema.known_codes(dev["label"].to_list()))
    return Inspection(schema, [], splits, ("text",))
