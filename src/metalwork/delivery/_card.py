"""A model card: what a model is, what it was made from, how good it is, and what its user has to fill in."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np

from metalwork._visible import visible
from metalwork.delivery._answers import Codes
from metalwork.delivery._thresholds import Evidence, choose
from metalwork.errors import ConfigError
from metalwork.pipeline import KeptRun
from metalwork.probabilities import TaskProbabilities
from metalwork.schema import TaskSchema

_END_MODEL: Final = "End model"
_PRECISIONS: Final = (0.8, 0.9, 0.95)
_TO_FILL_IN: Final = """\
## Intended use

*To be filled in by whoever hands this model on:*

- What it is for, and who may use it:
- What it must not be used for:
- Whom a wrong label harms, and who looks at doubtful ones:
- Where the records come from, whom they are about, and by what right they are used:
- Who knows the labels of the dev and test records, and how:
"""


def model_card(kept: KeptRun, name: str, schema: TaskSchema, dev: tuple[TaskProbabilities, Codes] | None) -> str:
    """The card of a run's end model, in Markdown.

    ``dev`` is what it predicted on the dev records, with the end labels known there.
    """
    return "\n".join(
        [
            f"# {_plain(name)}",
            "",
            f"A network for {schema.n_end_labels:,} end labels in a tree of {schema.n_tasks:,} tasks, "
            "trained by metalwork on probabilistic labels that labeling functions voted for.",
            "",
            _TO_FILL_IN,
            *_labels(schema),
            *_training(kept),
            *_functions(kept),
            *_metrics(kept),
            *_sureness(dev),
        ]
    )


def front_matter(columns: Sequence[str], inputs: str) -> str:
    """The YAML that model hubs read at the top of a card."""
    reads = ", ".join(_quoted(name) for name in columns)
    tags = "tags: [metalwork, weak-supervision]"
    return (
        f"---\nlibrary_name: metalwork\npipeline_tag: {inputs}-classification\n{tags}\ncolumns: [{reads}]\n---\n\n"
    )


def _labels(schema: TaskSchema) -> Iterator[str]:
    yield from ("## Labels", "", "```")
    yield visible(str(schema)).replace("```", "'''")
    yield from ("```", "")


def _training(kept: KeptRun) -> Iterator[str]:
    yield from ("## What it learned from", "")
    train, fit = kept.facts("train"), kept.facts("fit")
    used = " Dev labels guided the label model." if fit.get("used_dev") else ""
    epochs = " They chose the epoch." if train.get("used_dev") else ""
    by = f"labeled by the label model `{fit['label_model']}`"
    yield f"{train['records']:,} training records, {by}.{used}{epochs}"
    yield ""
    rows = [
        (split, name, digest)
        for split, files in kept.facts("apply")["inputs"].get("records", {}).items()
        for name, digest in files.items()
    ]
    yield from _table(("split", "records", "SHA-256"), rows)


def _functions(kept: KeptRun) -> Iterator[str]:
    table, model = kept.lf_table, kept.label_model
    learned = getattr(getattr(model, "base_", model), "accuracies_", None)
    shown = [None] * table.height if learned is None else np.asarray(learned, float).tolist()
    precision = table["dev_precision"].to_list() if "dev_precision" in table.columns else [None] * table.height
    rows = zip(
        table["name"].cast(str).to_list(),
        table["task"].cast(str).to_list(),
        table["polarity"].cast(str).to_list(),
        map(_percent, table["coverage"].to_list()),
        map(_percent, shown),
        map(_percent, precision),
        strict=True,
    )
    yield from ("## Labeling functions", "")
    yield "Their accuracy as the label model estimates it without labels, and their precision on the dev records."
    yield ""
    yield from _table(("name", "task", "votes for", "coverage", "estimated accuracy", "dev precision"), rows)


def _metrics(kept: KeptRun) -> Iterator[str]:
    by_split = kept.metrics.get(_END_MODEL, {})
    split = next((name for name in ("test", "dev") if name in by_split), None)
    yield from ("## How good it is", "")
    if split is None:
        yield from ("No known labels were there to measure it by.", "")
        return
    found = by_split[split]
    guided = " These records guided the models: expect less on new ones." if split == "dev" else ""
    yield f"On {found['n_points']:,} {split} records: accuracy {found['accuracy']:.1%}.{guided}"
    yield ""
    heads = ("label", "records", "predicted", "precision", "recall", "F1")
    rows = [
        (
            own["label"],
            own["n_points"],
            own["n_predicted"],
            *(_percent(own[k]) for k in ("precision", "recall", "f1")),
        )
        for own in found["labels"]
    ]
    yield from _table(heads, rows)
    if (calibration := found.get("calibration")) is not None:
        yield f"Expected calibration error: {calibration['ece']:.1%}. How often it is right, by how sure it is:"
        yield ""
        bins = [
            (
                f"{b['lower']:.1f} to {b['upper']:.1f}",
                b["n_points"],
                _percent(b["confidence"]),
                _percent(b["accuracy"]),
            )
            for b in calibration["bins"]
            if b["n_points"]
        ]
        yield from _table(("confidence", "records", "mean confidence", "accuracy"), bins)


def _sureness(dev: tuple[TaskProbabilities, Codes] | None) -> Iterator[str]:
    yield from ("## How sure is sure enough", "")
    if dev is None:
        yield from ("No dev records of known label were there to choose a confidence by.", "")
        return
    known = Evidence.of(*dev)
    for wanted in _PRECISIONS:
        try:
            yield f"- Precision {wanted:.0%}, to 90 % certainty: {choose(known, wanted)}."
        except ConfigError as error:
            yield f"- Precision {wanted:.0%}: not shown. {error}"
    yield ""


def _table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield f"| {' | '.join(_plain(cell) for cell in row)} |"
    yield ""


def _plain(value: Any) -> str:
    """Text in which no character means anything to Markdown or HTML."""
    text = visible(str(value)).replace("\n", " ").replace("\\", "\\\\")
    text = text.replace("&", "&amp;").replace("<", "&lt;")
    for sign in "|`*_[]#":
        text = text.replace(sign, f"\\{sign}")
    return text


def _quoted(name: str) -> str:
    return '"' + visible(name).replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
