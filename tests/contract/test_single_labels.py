"""Tasks with a single label, as taxonomies have them, through the whole chain: where they apply it is certain."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import metalwork as mw
from metalwork.label_models import LabelModel, load_label_model
from tests.simulated import simulate

pytestmark = pytest.mark.filterwarnings(
    "ignore:No (LF|record):metalwork.errors.MetalworkWarning",
    "ignore:LogLinearLabelModel is the paper's:metalwork.errors.MetalworkWarning",
)

TREES: dict[str, Any] = {
    "below": {"task": "a", "labels": [{"A": {"task": "b", "labels": ["A1"]}}, "B"]},
    "root": {"task": "all", "labels": [{"All": {"task": "a", "labels": ["X", "Y", "Z"]}}]},
    "chain": {
        "task": "r",
        "labels": [
            {"A": {"task": "b", "labels": [{"A1": {"task": "c", "labels": ["p", "q"]}}]}},
            {"B": {"task": "d", "labels": [{"B1": {"task": "e", "labels": ["B2"]}}]}},
            "C",
        ],
    },
}
SCHEMAS = {name: mw.TaskSchema.from_dict(tree) for name, tree in TREES.items()}
MODELS: dict[str, Any] = {
    "hard": lambda schema: mw.MajorityVote(schema, mode="hard"),
    "soft": lambda schema: mw.MajorityVote(schema, mode="soft"),
    "loglinear": mw.LogLinearLabelModel,
    "auto": mw.HierarchicalLabelModel,
    "rules": lambda schema: mw.HierarchicalLabelModel(schema, kind="rules"),
    "independent": lambda schema: mw.HierarchicalLabelModel(schema, kind="independent"),
}
every_schema = pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
every_model = pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)


def check(probs: mw.TaskProbabilities) -> None:
    """Probabilities are finite; a single label has all of what its task has, and 1 given that the task applies."""
    assert np.isfinite(probs.end).all()
    for task in probs.schema.tasks:
        if len(probs.schema.labels(task)) == 1:
            above = probs.schema.parent(task)
            code = None if above is None else probs.schema.label_code(*above)
            applies = np.ones(len(probs)) if above is None else probs[above[0]][:, code]
            np.testing.assert_allclose(probs[task][:, 0], applies, rtol=1e-6)
            np.testing.assert_allclose(probs.conditional(task), 1.0)


def test_the_schema_knows_what_follows() -> None:
    below, chain = SCHEMAS["below"], SCHEMAS["chain"]
    assert below.end_labels == ("A1", "B")
    assert below.known_codes(["A", "A1", "B", None]).tolist() == [[0, 0], [0, 0], [1, -2], [-1, -1]]
    assert below.end_codes(["A", "A1"]).tolist() == [0, 0]
    assert chain.end_of(chain.known_codes(["A1", "B", "B/B1/B2"])).tolist() == [-1, 2, 2]
    assert SCHEMAS["root"].members("all").tolist() == [[True, True, True]]


@every_schema
@every_model
def test_label_models(make: Any, schema: mw.TaskSchema, tmp_path: Path) -> None:
    found = simulate(np.random.default_rng(0), schema, 400, lfs_a_task=4)
    model: LabelModel = make(schema).fit(found.votes)
    check(model.predict_proba(found.votes))
    slack = (
        0.35 if getattr(model, "kind_", "") == "rules" else 0.2
    )  # silence tells much here, and rules do not listen
    assert model.score(found.votes, schema.task_codes[found.y]) > found.oracle - slack
    model.save(tmp_path / "model.npz")
    again = load_label_model(tmp_path / "model.npz")
    assert (again.predict(found.votes) == model.predict(found.votes)).all()
    assert len(model.explain(found.votes, int(np.argmax(found.votes.codes.max(axis=1))))) > 0


@every_schema
@every_model
def test_votes_on_a_single_label_alone_say_that_the_task_applies(make: Any, schema: mw.TaskSchema) -> None:
    single = next(task for task in schema.tasks if len(schema.labels(task)) == 1)
    applies = schema.task_codes[:, schema.task_index(single)] == 0
    rng = np.random.default_rng(1)
    y = rng.integers(schema.n_end_labels, size=600)
    fires = rng.random((600, 3)) < np.where(applies[y], 0.7, 0.02)[:, None]
    root = schema.task_codes[y, 0][:, None]
    noisy = np.where(
        rng.random((600, 3)) < 0.8, root, rng.integers(len(schema.labels(schema.root)), size=(600, 3))
    )
    codes = np.concatenate([np.where(fires, 0, -1), noisy], axis=1)
    votes = mw.LabelMatrix(codes, schema, [single] * 3 + [schema.root] * 3)
    probs = make(schema).fit(votes).predict_proba(votes)
    check(probs)
    if not applies.all():
        share = probs.end[:, applies].sum(axis=1)
        assert share[fires.all(axis=1)].mean() > share[~fires.any(axis=1)].mean() + 0.2


@every_schema
def test_more_of_the_default_model(schema: mw.TaskSchema) -> None:
    found = simulate(np.random.default_rng(0), schema, 400, lfs_a_task=4)
    known = (found.votes.rows(slice(0, 50)), schema.end_names(found.y[:50]))
    share = np.full(schema.n_end_labels, 1 / schema.n_end_labels)
    for kind in ("rules", "independent"):
        model = mw.HierarchicalLabelModel(schema, kind=kind)
        check(model.fit(found.votes, class_prior=share, dev=known).predict_proba(found.votes))
        assert str(model.diagnose())
        assert model.intervals() is not None
        for start in (0, 200):
            model.partial_fit(found.votes.rows(slice(start, start + 200)))
        check(model.predict_proba(found.votes))


@every_schema
def test_sets_and_soft_votes(schema: mw.TaskSchema) -> None:
    y = np.random.default_rng(0).integers(schema.n_end_labels, size=300)
    truth = schema.task_codes[y]

    def voting(t: int, task: str, kind: str) -> mw.LabelingFunction:
        labels = schema.labels(task)

        def vote(i: int) -> Any:
            if truth[i, t] < 0 or i % 3 == 0:
                return None
            label = labels[truth[i, t]]
            share = {label: 1.0 if len(labels) == 1 else 0.8}
            return {"plain": label, "set": {label}, "soft": share, "mixed": label if i % 2 else share}[kind]

        return mw.from_callable(vote, task, name=f"{task} {kind}")

    kinds = ("plain", "set", "soft", "mixed")
    lfs = [voting(t, task, kind) for t, task in enumerate(schema.tasks) for kind in kinds]
    lfs.append(mw.from_callable(lambda i: schema.end_labels[y[i]], None, name="tree"))
    votes = mw.apply(lfs, [{"i": i} for i in range(300)], schema)
    for task in schema.tasks:
        if len(schema.labels(task)) == 1:  # all of them say the one thing that can be said
            columns = votes.codes[:, [votes.names.index(f"{task} {kind}") for kind in kinds]]
            assert (columns == columns[:, :1]).all()
            assert not set(votes.outcomes) & {f"{task} {kind}" for kind in kinds}
    for row in mw.lf_summary(votes, schema.end_names(y)).rows:
        assert row.precision in (1.0, None) or len(schema.labels(row.task)) > 1
    for make in MODELS.values():
        if make is not mw.LogLinearLabelModel:
            check(make(schema).fit(votes).predict_proba(votes))


@every_schema
@pytest.mark.parametrize("architecture", ["hier", "flat", "single", "linear"])
def test_end_models(architecture: str, schema: mw.TaskSchema, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    found = simulate(rng, schema, 300, lfs_a_task=4)
    features = np.eye(schema.n_end_labels)[found.y] + rng.normal(0, 0.1, (300, schema.n_end_labels))
    names = schema.end_names(found.y)
    probs = mw.TaskProbabilities.from_labels(names, schema)
    model = mw.EndModel(schema, architecture=architecture, hidden_sizes=(8, 4), max_epochs=40, lr=0.02)
    model.fit(features, probs, dev=(features[:40], names[:40]))
    found_probs = model.predict_proba(features)
    check(found_probs)
    assert model.score(features, names) > 0.95
    model.save(tmp_path / "end.safetensors")
    assert (mw.EndModel.load(tmp_path / "end.safetensors").predict(features) == model.predict(features)).all()
    measured = mw.evaluate(found_probs, names)
    for task, accuracy in measured.task_accuracy.items():
        assert accuracy == 1.0 or len(schema.labels(task)) > 1


def test_one_label_in_all_is_refused() -> None:
    with pytest.raises(mw.MetalworkError) as caught:
        mw.TaskSchema.flat(["only"])
    assert str(caught.value) == (
        "The task schema has 1 fault:\n"
        "  - a schema must have at least two end labels; got one, 'only': nothing to tell."
    )
