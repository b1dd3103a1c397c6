"""From a run to the contents of its report."""

from typing import TYPE_CHECKING, Any

import numpy as np

from metalwork import __version__
from metalwork.pipeline._job import Job
from metalwork.pipeline._models import LABEL_MODEL_TITLES
from metalwork.pipeline._scores import known_splits
from metalwork.report import ReportData, Training, uncertain_records

if TYPE_CHECKING:
    from metalwork.pipeline._run import Run

_SHOWN = 12


def report_data(run: "Run") -> ReportData:
    """Everything that the report shows of a run whose steps are done up to ``evaluate``."""
    job, model = run.job, run.end_model
    return ReportData(
        title=job.name,
        schema=job.schema,
        space=job.space,
        facts=_facts(job),
        lfs=run.lfs,
        gold_lfs=run.gold_lfs,
        notes_on_lfs=run.notes_on_lfs,
        distributions=_distributions(run),
        notes_on_labels=run.coverage("train").notes(),
        label_model=LABEL_MODEL_TITLES[job.label_model.name],
        class_prior=getattr(run.label_model, "class_prior_", None),
        warnings=run.warnings,
        plan=model.plan_,
        training=_training(model),
        results=run.metrics,
        uncertain=uncertain_records(
            run.end["train"],
            _texts(job, "train"),
            k=_SHOWN,
            keys=_keys(job, "train"),
            votes=run.votes["train"],
        ),
    )


def _facts(job: Job) -> dict[str, str]:
    counts = {f"{split} records": f"{job.split(split).n_points:,}" for split in job.splits}
    rest = {"labeling functions": str(len(job.labeling_functions)), "seed": str(job.random_state)}
    return counts | rest | {"metalwork": __version__}


def _distributions(run: "Run") -> dict[str, Any]:
    job = run.job
    shares: dict[str, Any] = {"label model, train": run.labels["train"].end.mean(axis=0)}
    shares["end model, train"] = run.end["train"].end.mean(axis=0, dtype=np.float64)
    for split in known_splits(job, "dev"):
        codes = job.schema.end_of(job.known_labels(split))
        codes = codes[codes >= 0]
        if codes.size:
            shares[f"known, {split}"] = np.bincount(codes, minlength=job.schema.n_end_labels) / codes.size
    return shares


def _training(model: Any) -> Training:
    return Training(
        loss=[epoch["loss"] for epoch in model.history_],
        dev_accuracy=[epoch["dev_accuracy"] for epoch in model.history_ if "dev_accuracy" in epoch],
        best_epoch=model.best_epoch_ - 1,
    )


def _texts(job: Job, split: str) -> list[str]:
    records = job.split(split).records
    if job.features.text is not None:
        return [str(text or "") for text in records[job.features.text].to_list()]
    columns = job.features.columns or []
    shown = records.select(columns[:8]).iter_rows(named=True)
    return ["; ".join(f"{name}={value}" for name, value in row.items()) for row in shown]


def _keys(job: Job, split: str) -> list[str]:
    ids = job.split(split).ids
    keys = range(job.split(split).n_points) if ids is None else ids.to_list()
    return [f"{split} {key}" for key in keys]
