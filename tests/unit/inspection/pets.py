"""A run of few records in memory, each there for a question."""

from typing import Any

import polars as pl

import metalwork as mw
from metalwork.inspection import RecordPage

SCHEMA = mw.TaskSchema.from_dict(
    {
        "task": "kind",
        "labels": [
            {"Mammal": {"task": "mammal", "labels": ["Cat", "Dog"]}},
            {"Bird": {"task": "bird", "labels": ["Owl", "Duck"]}},
        ],
    }
)


@mw.labeling_function(task="mammal")
def barks(text: str, legs: int) -> Any:
    return "Dog" if "bark" in text and legs == 4 else mw.ABSTAIN


LFS = [
    mw.keywords("kind", "Mammal", ["fur"], name="furry", negated_by=True),
    mw.keywords("kind", "Bird", ["feather"], name="feathered"),
    mw.keywords("mammal", "Cat", ["meow", "purr"], name="meows"),
    mw.regex("bird", "Owl", r"hoo+t", name="hoots"),
    mw.keywords("bird", "Duck", ["quack"], name="quacks"),
    barks,
]
TRAIN = pl.DataFrame(
    {
        "key": [f"t{i}" for i in range(9)],
        "text": [
            "fur and a meow",
            "No fur, but a Hoot? hooot",
            "feather, quack and <b>bark</b>",
            "fur and a bark",
            "nothing to see",
            "a meow and a quack",
            "fur, purr, meow",
            "feather and quack",
            "quack",
        ],
        "legs": [4, 2, 4, 4, 0, 4, 4, 2, 2],
    }
)
DEV = pl.DataFrame(
    {
        "key": ["d0", "d1", "d2", "d3"],
        "text": ["meow, fur", "feather and a meow", "quack", "a stone"],
        "legs": [4, 2, 2, 0],
        "label": ["Cat", "Duck", "Bird", None],
    }
)
NET: dict[str, Any] = {"hidden_sizes": (4,), "max_epochs": 2, "batch_size": 4}


def run_of(**given: Any) -> mw.Run:
    """A run whose steps are still to do."""
    splits: dict[str, Any] = {"train": TRAIN, "dev": DEV, "test": DEV}
    options: dict[str, Any] = {"id": "key", "features": {"text": "text", "min_df": 1}, "end_model": NET}
    return mw.Run.of(SCHEMA, LFS, **(splits | options | given))


def ids(page: RecordPage) -> list[str]:
    """What the records of a page are called."""
    return [record.id for record in page.records]
