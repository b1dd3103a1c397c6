"""Reports to look at and to test: made-up votes and probabilities of the usual shapes."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

import metalwork as mw
from metalwork.analysis import Metrics
from metalwork.end_models import compile_plan
from metalwork.report import ReportData, Training, uncertain_records

TRIAGE = {
    "task": "triage",
    "labels": [
        {"Acute": {"task": "acute", "labels": ["Urgent", "Emergent"]}},
        {"Non-acute": {"task": "non_acute", "labels": ["Normal", "Non-urgent"]}},
    ],
}

SENTENCE = "The heart is normal in size. The mediastinum is unremarkable. No focal airspace disease, effusion."

Codes = npt.NDArray[np.int64]


def wide_tree(n_branches: int, n_leaves: int, long_names: bool = False) -> dict[str, Any]:
    """A tree of two levels, with ``n_branches * n_leaves`` end labels."""
    more = " of a subject with a long name" if long_names else ""
    branches = [
        {f"Branch {b}{more}": {"task": f"branch_{b}", "labels": [f"Leaf {b}.{k}{more}" for k in range(n_leaves)]}}
        for b in range(n_branches)
    ]
    return {"task": "root", "labels": branches}


def simulate(schema: mw.TaskSchema, n_points: int, n_lfs: int, seed: int = 0) -> tuple[mw.LabelMatrix, Codes]:
    """Votes of LFs that are right four times in five, and the end labels they were about."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, schema.n_end_labels, n_points)
    tasks = [schema.tasks[j % schema.n_tasks] for j in range(n_lfs)]
    codes = np.full((n_points, n_lfs), -1)
    for j, task in enumerate(tasks):
        truth = schema.task_codes[y, schema.task_index(task)]
        wrong = rng.integers(0, len(schema.labels(task)), n_points)
        fires = rng.random(n_points) < np.where(truth >= 0, 0.4, 0.05)
        codes[fires, j] = np.where((truth >= 0) & (rng.random(n_points) < 0.8), truth, wrong)[fires]
    names = [f"{task}_mentions_keyword_{j}" for j, task in enumerate(tasks)]
    return mw.LabelMatrix(codes, schema, tasks, names), y


def guesses(schema: mw.TaskSchema, y: Codes, skill: float, seed: int = 0) -> mw.TaskProbabilities:
    """Probabilities that favour the truth the more, the larger ``skill``."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(len(y), schema.n_end_labels))
    scores[np.arange(len(y)), y] += skill
    odds = np.exp(1.3 * scores)
    return mw.TaskProbabilities(odds / odds.sum(axis=1, keepdims=True), schema)


def sample_report(
    tree: dict[str, Any] | None = None, n_lfs: int = 18, texts: list[str] | None = None, **changes: Any
) -> ReportData:
    """A report with every part; ``changes`` replace single ones."""
    schema = mw.TaskSchema.from_dict(TRIAGE if tree is None else tree)
    splits = {"train": 2000, "dev": 60, "test": 380}
    data = {name: simulate(schema, n, n_lfs, seed) for seed, (name, n) in enumerate(splits.items())}
    probs = guesses(schema, data["train"][1], 2.0, 3)
    gold = {split: data[split] for split in ("dev", "test")}
    skills = {"Hard majority vote": 1.2, "Label model": 2.0, "End model": 2.6}
    learned = np.random.default_rng(5).uniform(0.6, 0.95, n_lfs)
    epochs = np.arange(30)
    parts: dict[str, Any] = {
        "title": "Chest X-ray triage",
        "schema": schema,
        "created": datetime(2026, 11, 23, 14, 5, tzinfo=UTC),
        "description": "Made-up votes and probabilities in the shape of a real run.",
        "facts": {"Training records": "2,000", "Dev records": "60", "Test records": "380", "Seed": "0"},
        "lfs": mw.lf_summary(data["train"][0], accuracies=learned),
        "gold_lfs": {split: mw.lf_summary(votes, y) for split, (votes, y) in gold.items()},
        "distributions": {
            "label model, train": probs.end.mean(axis=0),
            "gold, dev": np.bincount(gold["dev"][1], minlength=schema.n_end_labels) / 60,
            "gold, test": np.bincount(gold["test"][1], minlength=schema.n_end_labels) / 380,
        },
        "label_model": "HierarchicalLabelModel",
        "class_prior": np.full(schema.n_end_labels, 1 / schema.n_end_labels),
        "warnings": ["Two labeling functions always agree: 'a' and 'b'. Their votes count once."],
        "plan": compile_plan(schema, "hier", n_features=4231, hidden_sizes=(250, 50)),
        "training": Training(
            loss=(0.35 + np.exp(-epochs / 6)).tolist(),
            dev_accuracy=(0.8 - 0.4 * np.exp(-epochs / 4) + 0.01 * np.sin(3 * epochs)).tolist(),
            best_epoch=22,
        ),
        "results": {
            model: {split: _metrics(schema, y, skill, model) for split, (_, y) in gold.items()}
            for model, skill in skills.items()
        },
        "uncertain": uncertain_records(
            probs, texts or [SENTENCE * (1 + i % 4) for i in range(2000)], k=8, votes=data["train"][0]
        ),
    }
    return ReportData(**(parts | changes))


def _metrics(schema: mw.TaskSchema, y: Codes, skill: float, model: str) -> Metrics:
    probs = guesses(schema, y, skill, 11)
    return mw.evaluate(probs.predict() if "vote" in model else probs, y, schema)
