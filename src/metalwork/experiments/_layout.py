"""Which figures stand in which table, and beside which of the paper's."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import metalwork as mw
from metalwork.experiments._arms import LABEL_ARMS, Prepared
from metalwork.experiments._paper import MULTI_LEVEL_GAIN, paper_figure
from metalwork.experiments._tables import Row, Table
from metalwork.experiments._trials import Scores

LabelScores = Mapping[str, Sequence[Scores]]
EndScores = Mapping[str, Sequence[Scores]]


def build_tables(name: str, prepared: Prepared, labels: LabelScores, ends: EndScores) -> tuple[Table, ...]:
    """The paper's three tables and its multi-level experiment."""
    rows = _Rows(name, labels, ends)
    tables = [_full_pipeline(rows), _label_models(rows), _end_models(rows)]
    if prepared.has_levels:
        tables.append(_multi_level(rows))
    return tuple(tables)


def describe(prepared: Prepared) -> dict[str, str]:
    """What the figures were measured on."""
    train = prepared.train.votes
    voted = (train.codes != mw.ABSTAIN).any(axis=1)
    by_task = ", ".join(f"{task} {len(train.lfs_of(task))}" for task in prepared.schema.tasks)
    splits = (("train", prepared.train), ("dev", prepared.dev), ("test", prepared.test))
    return {
        "Records": ", ".join(f"{name} {split.votes.n_points:,}" for name, split in splits),
        "Labeling functions": f"{train.n_lfs} ({by_task})",
        "Training records with a vote": f"{int(voted.sum()):,} ({voted.mean():.1%})",
        "Words": f"{prepared.train.features.shape[1]:,}",
    }


class _Rows:
    """Makes rows out of the scores of label arms and end arms."""

    def __init__(self, dataset: str, labels: LabelScores, ends: EndScores) -> None:
        self._dataset = dataset
        self._labels = labels
        self._ends = ends

    def label(self, method: str, key: str, paper: tuple[str, str] | None = None) -> Row:
        return self._row(method, self._labels[key], paper, same=not LABEL_ARMS[key].seeded)

    def end(self, method: str, key: str, paper: tuple[str, str] | None = None) -> Row:
        return self._row(method, self._ends[key], paper, same=False)

    def _row(self, method: str, scores: Sequence[Scores], paper: tuple[str, str] | None, same: bool) -> Row:
        values = {metric: tuple(score[metric] for score in scores) for metric in scores[0]}
        figure = None if paper is None else paper_figure(paper[0], self._dataset, paper[1])
        return Row(method, values, figure, same)


def _full_pipeline(rows: _Rows) -> Table:
    return Table(
        "Table 1",
        "full pipeline",
        (
            rows.end("Dev labels", "gold", ("Table 1", "Dev. Labels")),
            rows.label("Label model", "default, dev", ("Table 1", "Label Model")),
            rows.end("End model", "hier", ("Table 1", "End Model")),
            rows.label("Label model, without dev labels", "default"),
            rows.end("End model, label model without dev labels", "hier, no dev"),
            rows.label("Paper's label model", "paper"),
            rows.end("End model, paper's label model", "hier, paper"),
        ),
        "Label model: the default (HierarchicalLabelModel), given the dev labels. End model: HierMTL on the "
        "probabilities of the label model. Dev labels: HierMTL on the dev labels alone.",
    )


def _label_models(rows: _Rows) -> Table:
    return Table(
        "Table 2",
        "label models",
        (
            rows.label("Hard MV", "hard", ("Table 2", "Hard MV")),
            rows.label("Soft MV", "soft", ("Table 2", "Soft MV")),
            rows.label("Trained: the paper's (LogLinear)", "paper", ("Table 2", "Trained Label Model")),
            rows.label("Trained: default (Hierarchical)", "default"),
            rows.label("Trained: default, with dev labels", "default, dev"),
        ),
        "Hard MV breaks its ties at random; the other label models have no random step.",
    )


def _end_models(rows: _Rows) -> Table:
    return Table(
        "Table 3",
        "end models, on the labels of the default label model with dev labels",
        (
            rows.end("SingleTask", "single", ("Table 3", "SingleTask")),
            rows.end("FlatMTL", "flat", ("Table 3", "FlatMTL")),
            rows.end("HierMTL", "hier", ("Table 3", "HierMTL")),
        ),
    )


def _multi_level(rows: _Rows) -> Table:
    pairs = (
        (rows.label("Paper's label model", "paper"), rows.label("", "paper, no root")),
        (
            rows.label("Default label model, with dev labels", "default, dev"),
            rows.label("", "default, dev, no root"),
        ),
        (rows.end("End model (HierMTL)", "hier"), rows.end("", "hier, no root")),
    )
    found: list[Row] = []
    for every, lower in pairs:
        found.append(replace(every, method=f"{every.method}: all LFs"))
        found.append(replace(lower, method=f"{every.method}: without the root task's LFs"))
        found.append(every.minus(lower, f"{every.method}: gain"))
    return Table(
        "Multi-level",
        "with and without the root task's labeling functions",
        tuple(found),
        f"The paper prints only the mean gain of RCV1 and OpenI: +{MULTI_LEVEL_GAIN} points.",
    )
