"""From a run to the contents of its report."""

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from metalwork import __version__
from metalwork.analysis import least_certain
from metalwork.errors import ConfigError
from metalwork.inspection import Inspection
from metalwork.pipeline._features import build_featurizer
from metalwork.pipeline._job import Job
from metalwork.pipeline._models import label_model_title, votes_model
from metalwork.pipeline._scores import known_splits
from metalwork.pipeline._split import Split
from metalwork.probabilities import TaskProbabilities
from metalwork.report import LFExamples, ReportData, Training, UncertainRecord, uncertain_records
from metalwork.suggestions import Fix, suggest_fixes
from metalwork.votes import LabelMatrix

if TYPE_CHECKING:
    from metalwork.pipeline._run import Run

_SHOWN = 12
_EXAMPLES = 2
_MOST_EXEMPLIFIED = 60
_MOST_PAIRED = 500
_LABELS_ALONE = "No end model was trained, as the settings say: these labels are the result."


def report_data(run: "Run") -> ReportData:
    """Everything that the report shows of a run whose steps are done up to ``evaluate``."""
    job = run.job
    model = None if job.end_model.is_none else run.end_model
    return ReportData(
        title=job.name,
        schema=job.schema,
        space=job.space,
        facts=_facts(job),
        lfs=run.lfs,
        gold_lfs=run.gold_lfs,
        notes_on_lfs=run.notes_on_lfs,
        distributions=_distributions(run),
        notes_on_labels=(*run.label_shares["train"].notes(), *([_LABELS_ALONE] if model is None else [])),
        label_model=label_model_title(run.label_model_settings),
        class_prior=getattr(votes_model(run.label_model), "class_prior_", None),
        warnings=run.warnings,
        tried=() if run.tuned is None else (run.tuned.HEADS, *run.tuned.rows()),
        notes_on_tuning=() if run.tuned is None else run.tuned.notes(),
        plan=None if model is None else model.plan_,
        training=None if model is None else _training(model),
        results=run.metrics,
        uncertain=_uncertain(run, "train"),
        fixes=_fixes(run.inspection),
        lf_cards=run.inspection.lf_cards(),
        label_cards=run.inspection.label_cards(),
        pairs=run.inspection.lf_pairs() if 1 < len(run.lfs.rows) <= _MOST_PAIRED else None,
        examples=_examples(run.inspection),
        vote_counts=run.inspection.vote_counts("train"),
    )


def _fixes(inspection: Inspection) -> list[Fix]:
    try:
        return suggest_fixes(inspection)
    except ConfigError:  # no column of texts to judge by
        return []


def _examples(inspection: Inspection) -> dict[str, LFExamples]:
    """Records of train and dev for each labeling function, those first that are wrong most often on dev."""
    cards = sorted(inspection.lf_cards(), key=lambda card: -card.n_wrong)[:_MOST_EXEMPLIFIED]
    kept = {card.name for card in cards}
    return {card.name: _examples_of(inspection, card.name) for card in inspection.lf_cards() if card.name in kept}


def _examples_of(inspection: Inspection, lf: str) -> LFExamples:
    few = partial(inspection.records, lf=lf, limit=_EXAMPLES)
    right, wrong, conflict = few(right=True).records, few(wrong=True).records, few(conflict=True).records
    shown = {(record.split, record.row) for record in (*right, *wrong)}
    conflict = tuple(record for record in conflict if (record.split, record.row) not in shown)
    return LFExamples(right, wrong, conflict, () if right or wrong or conflict else few().records)


def _facts(job: Job) -> dict[str, str]:
    counts = {f"{split} records": f"{job.split(split).n_points:,}" for split in job.splits}
    rest = {"labeling functions": str(len(job.labeling_functions)), "seed": str(job.random_state)}
    return counts | rest | {"metalwork": __version__}


def _distributions(run: "Run") -> dict[str, Any]:
    job = run.job
    shares: dict[str, Any] = {"label model, train": run.label_shares["train"].shares}
    if not job.end_model.is_none:
        shares["end model, train"] = run.end_shares["train"]
    for split in known_splits(job, "dev"):
        counts = np.zeros(job.schema.n_end_labels, np.int64)
        for part in run.records_in_parts(split, text=False):
            codes = job.schema.end_of(job.known_labels(part))
            counts += np.bincount(codes[codes >= 0], minlength=len(counts))
        if counts.any():
            shares[f"known, {split}"] = counts / counts.sum()
    return shares


def _training(model: Any) -> Training:
    return Training(
        loss=[epoch["loss"] for epoch in model.history_],
        dev_accuracy=[epoch["dev_accuracy"] for epoch in model.history_ if "dev_accuracy" in epoch],
        best_epoch=model.best_epoch_ - 1,
        temperature=model.temperature_,
    )


def _uncertain(run: "Run", split: str) -> tuple[UncertainRecord, ...]:
    """The records that the end model (else the label model) is least sure of, found part by part."""
    best: tuple[TaskProbabilities, LabelMatrix, list[str], list[str]] | None = None
    start = 0
    predicted = run.labels_in_parts(split) if run.job.end_model.is_none else run.end_in_parts(split)
    for part, votes, probs in zip(run.records_in_parts(split), run.votes_in_parts(split), predicted, strict=True):
        rows = least_certain(probs, _SHOWN)
        rows.sort()
        kept = probs.rows(rows), votes.rows(rows), _texts(run.job, part, rows), _keys(split, part, start, rows)
        start += len(probs)
        best = kept if best is None else _least_certain_of(best, kept)
    if best is None:
        return ()
    shown, votes, texts, keys = best
    return uncertain_records(shown, texts, k=_SHOWN, keys=keys, votes=votes)


def _least_certain_of(one: Any, other: Any) -> Any:
    """As many of both as are shown, in their order."""
    probs = TaskProbabilities(np.concatenate([one[0].end, other[0].end]), one[0].schema)
    votes = LabelMatrix.concatenate([one[1], other[1]])
    texts, keys = one[2] + other[2], one[3] + other[3]
    rows = np.sort(least_certain(probs, _SHOWN))
    return probs.rows(rows), votes.rows(rows), [texts[row] for row in rows], [keys[row] for row in rows]


def _texts(job: Job, part: Split, rows: Any) -> list[str]:
    records = part.records[rows]
    if (text := job.features.text or job.features.fine_tuned) is not None:
        return [str(value or "") for value in records[text].to_list()]
    columns = build_featurizer(job.features).columns
    shown = records.select(columns[:8]).iter_rows(named=True)
    return ["; ".join(f"{name}={_short(value)}" for name, value in row.items()) for row in shown]


def _short(value: Any) -> str:
    return f"{len(value):,} bytes" if isinstance(value, bytes) else str(value)


def _keys(split: str, part: Split, start: int, rows: Any) -> list[str]:
    keys = (rows + start).tolist() if part.ids is None else part.ids.gather(rows).to_list()
    return [f"{split} {key}" for key in keys]
