"""Settings tried on dev: nested cross-validation, its cost, what it says, and that a run uses what was chosen."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import metalwork as mw
from metalwork.cli import app
from metalwork.errors import ConfigError
from metalwork.pipeline import (
    EndModelSettings,
    FeatureSettings,
    LabelModelSettings,
    TuneSettings,
    _candidates,
    _tuning,
)
from metalwork.pipeline._candidates import changed, draw, end_models, label_models
from metalwork.pipeline._tuned import Tuned
from tests.unit.pipeline.projects import PROJECT, records, write_project

pytestmark = pytest.mark.filterwarnings("ignore::metalwork.errors.MetalworkWarning")  # few LFs, few records

SCHEMA = mw.TaskSchema.flat(["ham", "spam"])
LFS = [
    mw.keywords("label", "spam", ["win"], name="win"),
    mw.keywords("label", "ham", ["hello", "team"], name="hello"),
    mw.keywords("label", "spam", ["hello"], name="wrong"),
]


def mail(n: int, seed: int = 0) -> tuple[pl.DataFrame, list[str]]:
    """Texts and labels: what `team` says is right, and `hello`, on which two functions disagree, is ham."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(2, size=n)
    words = np.array([["hello", "team", "minutes"], ["win", "prize", "cash"]], dtype=object)
    noise = np.array(["and", "the", "of", "we", "you"], dtype=object)
    texts = [" ".join([*rng.permutation(words[label])[:2], *rng.choice(noise, 3)]) for label in labels]
    return pl.DataFrame({"text": texts}), [SCHEMA.end_labels[label] for label in labels]


def mail_run(tune: Any, n_dev: int = 40, **settings: Any) -> mw.Run:
    train, _ = mail(200)
    settings = {"end_model": {"architecture": "linear"}, **settings}
    return mw.Run.of(SCHEMA, LFS, train=train, dev=mail(n_dev, 1), test=mail(100, 2), tune=tune, **settings)


def test_what_is_tried_is_told_with_its_cost() -> None:
    found = mail_run(True).tuned
    assert found is not None
    assert [(one.part, one.setting) for one in found.tried] == [
        ("label model", "as the project says"),
        ("label model", "name: soft-vote"),
        ("label model", "features: true"),
        ("end model", "as the project says"),
        ("end model", "architecture: tree"),
        ("end model", "l2: 0.1"),
        ("end model", "l2: 10.0"),
    ]
    assert (found.n_dev, found.n_folds) == (40, 5)
    # a model for each two folds left out, each fold, and with all of them left out; one of what sees no dev label
    each = 5 * 4 // 2 + 5
    assert each + 1 + each <= found.n_fitted["label model"] <= each + 1 + each + 2
    assert 4 + 5 <= found.n_fitted["end model"] <= 2 * 4 + 5
    assert Tuned.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_the_default_stays_where_dev_cannot_tell() -> None:
    right = [np.array([True] * 30 + [False] * 20) for _ in range(3)]
    right[2][30:34] = True
    assert _tuning.choose(right)[0] == 0
    right[2][30:38] = True
    chosen, doubts = _tuning.choose(right)
    assert (chosen, doubts[2]) == (2, 2 * 0.5**8)  # two comparisons
    assert _tuning.choose(right[:1])[0] == 0


def test_a_setting_that_is_plainly_better_is_chosen_and_used() -> None:
    mute = {"architecture": "linear", "options": {"l2": 1e9}}  # its weights are 0: the more frequent label always
    run = mail_run({"label_models": [], "end_models": [{"options": {"l2": 1.0}}]}, end_model=mute).evaluate()
    found = run.tuned
    assert found is not None
    given, better = (one for one in found.tried if one.part == "end model")
    assert (given.chosen, better.chosen) == (False, True)
    assert better.doubt is not None
    assert better.doubt < 0.001
    assert run.end_model_settings.options == {"l2": 1.0}
    assert run.end_model.l2 == 1.0
    assert run.job.end_model.options == {"l2": 1e9}
    assert "40 dev records tell the end model with l2: 1.0" in " ".join(found.notes())
    assert abs(found.honest["end model"] / 40 - run.metrics["End model"]["test"].accuracy) < 0.15


def test_no_fold_sees_the_labels_that_judge_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    fit = mw.HierarchicalLabelModel.fit

    def noted(model: Any, votes: Any, class_prior: Any = None, dev: Any = None, features: Any = None) -> Any:
        seen.append(0 if dev is None else len(dev[1]))
        return fit(model, votes, class_prior, dev, features)

    monkeypatch.setattr(mw.HierarchicalLabelModel, "fit", noted)
    mail_run({"label_models": [], "end_models": []}).fit()
    # end models are compared on labels without any; else without two folds of eight, or one; the run's own has all
    assert {n: seen.count(n) for n in seen} == {24: 10, 32: 5, 0: 1, 40: 1}


def test_folds_share_out_each_label() -> None:
    gold = np.array([[0]] * 11 + [[1]] * 14)
    folds = _tuning.deal(gold, 5, random_state=0)
    for label, least in ((0, 2), (1, 2)):
        counts = np.bincount(folds[gold[:, 0] == label], minlength=5)
        assert (counts.min() >= least, counts.max() - counts.min() <= 1) == (True, True)
    assert not np.array_equal(folds, _tuning.deal(gold, 5, random_state=1))
    assert np.array_equal(folds, _tuning.deal(gold, 5, random_state=0))


def test_another_kind_of_model_starts_from_its_own_defaults() -> None:
    base = EndModelSettings(hidden_sizes=[20], max_epochs=3, use_dev=False, options={"dropout": 0.1})
    assert changed(base, {"architecture": "linear"}) == EndModelSettings(architecture="linear", use_dev=False)
    deeper = changed(base, {"options": {"input_dropout": 0.5}})
    assert deeper == base.model_copy(update={"options": {"dropout": 0.1, "input_dropout": 0.5}})
    hard = LabelModelSettings(name="hard-vote")
    assert [one.name for one in label_models(hard, TuneSettings(), FeatureSettings(text="text"))] == [
        "as the project says",
        "name: hierarchical",
        "name: soft-vote",
    ]


def test_draws_cover_the_ranges_and_depend_on_the_seed_alone() -> None:
    pytest.importorskip("optuna")
    found = draw("tree", 16, 0)
    assert found == draw("tree", 16, 0)
    assert found != draw("tree", 16, 1)
    rates = np.log([one["lr"] for one in found])
    assert (rates.min() < np.log(6e-4), rates.max() > np.log(5e-3)) == (True, True)
    tried = end_models(EndModelSettings(), TuneSettings(end_models=[], trials=16), 0)
    assert len(tried) == 17
    assert all(own.settings.hidden_sizes[0] <= 512 for own in tried[1:])
    assert all(set(one) == {"options"} for one in draw("linear", 3, 0))


def test_without_optuna_one_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(mw.errors.MissingExtraError, match=r"pip install 'metalwork\[tune\]'"):
        _candidates.draw("tree", 2, 0)


def with_tune(folder: Path, tune: str) -> Path:
    """The pets project with 16 dev records."""
    end = PROJECT.index("end_model:")
    path = write_project(
        folder, project=PROJECT[:end] + f"end_model: {{architecture: linear}}\n    tune: {tune}\n"
    )
    (folder / "dev.csv").write_text(records("dev", 4))
    return path


def test_a_project_says_it_and_a_run_keeps_it(tmp_path: Path) -> None:
    path = with_tune(tmp_path, "{label_models: [{name: soft-vote}], end_models: [{options: {l2: 10}}], folds: 4}")
    done = CliRunner().invoke(app, ["run", str(path), "--run", "first"])
    assert done.exit_code == 0, done.output
    assert "Settings tried on dev" in done.output
    assert "Expect of the choice, by cross-validation: the label model" in done.output
    assert "Each of 4 folds of dev is judged" in done.output
    kept = json.loads((tmp_path / "runs/first/tuning.json").read_text())
    assert (kept["n_dev"], kept["n_folds"], len(kept["tried"])) == (16, 4, 4)
    run = mw.Run.open(path, "first")
    assert run.tuned == Tuned.from_dict(kept)
    assert "Settings tried" in run.html
    assert run.is_kept("fit")
    again = mw.Run.open(with_tune(tmp_path, "true"), "first")
    assert not again.is_kept("fit")


def test_a_kill_after_it_does_not_repeat_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = with_tune(tmp_path, "{label_models: [], end_models: [{options: {l2: 10}}], folds: 2}")
    with monkeypatch.context() as broken:
        broken.setattr("metalwork.pipeline._steps.fit_label_model", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            mw.Run.open(path, "first").fit()
    monkeypatch.setattr("metalwork.pipeline._steps.tune", lambda *_: 1 / 0)
    assert mw.Run.open(path, "first").fit().tuned is not None


@pytest.mark.parametrize(
    ("tune", "message"),
    [
        ("{label_model: []}", "13:8: 'label_model' is no key of tune. Did you mean 'label_models'?"),
        ("{end_models: [none]}", "tune may not try end_models without an end model"),
        ("{folds: 1}", "tune.folds must be greater than or equal to 2"),
        ("{end_models: [{options: {depth: 2}}]}", "tune.end_models[0]: end_model.options: 'depth' is no option"),
        ("{label_models: [{options: {kind: odd}}]}", "tune.label_models[0]: label_model.options:"),
        ("2", "tune must be a mapping"),
    ],
)
def test_mistakes_are_named_before_anything_runs(tune: str, message: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["check", str(with_tune(tmp_path, tune))])
    flat = " ".join(done.output.split())
    assert (done.exit_code, "Traceback" in flat) == (1, False)
    assert message.lower() in flat.lower()


def test_few_dev_records_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"tune must go with at least 10 dev records of known label; got 9\."):
        mail_run(True, n_dev=9).fit()


def test_several_kinds_of_features_are_scaled_as_the_run_scales_them() -> None:
    """Beside a column of large numbers words would count for nothing, were both scaled as one."""
    train, _ = mail(200)
    (dev, labels), (test, gold) = mail(40, 1), mail(100, 2)
    rng = np.random.default_rng(0)
    frames = [frame.with_columns(size=1e6 * rng.random(frame.height)) for frame in (train, dev, test)]
    run = mw.Run.of(
        SCHEMA,
        LFS,
        train=frames[0],
        dev=(frames[1], labels),
        test=(frames[2], gold),
        features={"text": "text", "columns": ["size"]},
        end_model={"architecture": "linear"},
        tune={"label_models": [], "end_models": []},
    )
    found = run.tuned
    assert found is not None
    assert abs(found.honest["end model"] / 40 - run.metrics["End model"]["test"].accuracy) < 0.15


def test_labels_alone_have_a_label_model_to_choose() -> None:
    run = mail_run({"label_models": [{"name": "soft-vote"}]}, end_model="none")
    found = run.tuned
    assert found is not None
    assert {one.part for one in found.tried} == {"label model"}
    assert found.n_fitted["end model"] == 0
    assert "end model" not in found.honest
    assert replace(found) == found
