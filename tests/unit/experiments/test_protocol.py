"""The paper's protocol, run whole on a made-up data set."""

import re
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import metalwork as mw
from metalwork.errors import ConfigError, MetalworkWarning
from metalwork.experiments import Results, _protocol, reproduce, run_experiment
from metalwork.experiments._arms import END_ARMS, LABEL_ARMS, Prepared, end_model_job, fit_label_arm, prepare
from tests.unit.experiments import toy


def run(trials: int = 2, seed: int = 0, **options: Any) -> Results:
    return run_experiment("toy", toy.job, trials=trials, seed=seed, **{"n_jobs": 1, **options})


@pytest.fixture(scope="module")
def results() -> Results:
    return run()


@pytest.fixture(scope="module")
def single() -> Results:
    return run(trials=1)


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    return prepare(toy.job(), lambda what: None)


def test_words_are_counted_whatever_the_project_does_with_them(prepared: Prepared) -> None:
    features = toy.FEATURES.model_copy(update={"words": "tf-idf"})
    other = prepare(replace(toy.job(), features=features), lambda what: None)
    assert (other.train.features != prepared.train.features).nnz == 0


def test_every_table_of_the_paper_is_there(results: Results) -> None:
    assert {table.name: [row.method for row in table.rows] for table in results.tables} == {
        "Table 1": [
            "Dev labels",
            "Label model",
            "End model",
            "Label model, without dev labels",
            "End model, label model without dev labels",
            "Paper's label model",
            "End model, paper's label model",
        ],
        "Table 2": [
            "Hard MV",
            "Soft MV",
            "Trained: the paper's (LogLinear)",
            "Trained: default (Hierarchical)",
            "Trained: default, with dev labels",
        ],
        "Table 3": ["SingleTask", "FlatMTL", "HierMTL"],
        "Multi-level": [
            f"{model}: {what}"
            for model in ("Paper's label model", "Default label model, with dev labels", "End model (HierMTL)")
            for what in ("all LFs", "without the root task's LFs", "gain")
        ],
    }


def test_every_row_has_one_figure_a_trial_unless_it_cannot_differ(results: Results) -> None:
    for table in results.tables:
        for row in table.rows:
            assert {len(values) for values in row.values.values()} == {1 if row.same else 2}, row.method
            wanted = {"test", "train"} if row.gain else {"test", "train", "ece", "brier"}
            assert set(row.values) == wanted, row.method
    assert [row.same for row in results.table("Table 2").rows] == [False, True, True, True, True]


def test_the_same_figure_stands_in_every_table_that_repeats_it(results: Results) -> None:
    main = {row.method: row.values for row in results.table("Table 1").rows}
    assert results.table("Table 3").rows[2].values == main["End model"]
    assert results.table("Multi-level").rows[6].values == main["End model"]
    assert results.table("Table 2").rows[4].values == main["Label model"]
    assert results.table("Table 2").rows[2].values == main["Paper's label model"]


def test_the_models_learn_something(results: Results) -> None:
    assert results.table("Table 1").rows[1].mean("test") > 0.5


def test_facts_say_what_was_measured_on(results: Results) -> None:
    assert results.facts["Records"] == "train 120, dev 20, test 40"
    assert results.facts["Labeling functions"] == "6 (sector 2, corporate 2, markets 2)"
    assert re.fullmatch(r"1\d\d \(\d\d\.\d%\)", results.facts["Training records with a vote"])
    assert results.settings["end_model"].items() >= {"hidden_sizes": (8, 4), "max_epochs": 3}.items()
    assert results.settings["end_model"]["batch_size"] > 0
    assert "random_state" not in results.settings["end_model"]
    assert results.seconds > 0


def figures(results: Results) -> dict[str, Any]:
    return {table.name: [(row.method, row.values) for row in table.rows] for table in results.tables}


def test_the_seed_decides_everything_and_processes_nothing(single: Results) -> None:
    assert figures(run(trials=1, n_jobs=2)) == figures(single)
    assert figures(run(trials=1, seed=1)) != figures(single)


def test_more_trials_keep_the_first_ones(results: Results, single: Results) -> None:
    for table in results.tables:
        for row, first in zip(table.rows, single.table(table.name).rows, strict=True):
            assert {m: values[:1] for m, values in row.values.items()} == first.values


def test_trials_differ_in_their_seed(prepared: Prepared) -> None:
    labeled = {key: fit_label_arm(prepared, key, 0) for key in prepared.label_arms}
    first, second = (end_model_job(prepared, "hier", labeled, seed) for seed in (1, 2))
    assert (first.seed, second.seed) == (1, 2)
    assert first.options == second.options
    assert (first.features != second.features).nnz == 0
    assert np.array_equal(first.probs.end, second.probs.end)


@pytest.mark.parametrize("key", LABEL_ARMS)
def test_the_seed_matters_exactly_where_an_arm_says_so(prepared: Prepared, key: str) -> None:
    first, second = (fit_label_arm(prepared, key, seed).train.end for seed in (1, 2))
    assert np.array_equal(first, second) is not LABEL_ARMS[key].seeded


@pytest.mark.parametrize("key", [key for key in END_ARMS if key != "gold"])
def test_records_without_a_vote_are_left_out_of_training(prepared: Prepared, key: str) -> None:
    arm = LABEL_ARMS[END_ARMS[key].labels]
    voted = (prepared.votes(prepared.train, arm).codes != mw.ABSTAIN).any(axis=1)
    assert 0 < voted.sum() < len(voted)
    labeled = {END_ARMS[key].labels: fit_label_arm(prepared, END_ARMS[key].labels, 0)}
    job = end_model_job(prepared, key, labeled, 0)
    assert job.features.shape[0] == job.probs.n_points == voted.sum()
    assert job.evaluation.train.shape[0] == len(voted)
    assert job.dev is not None


def test_the_dev_label_baseline_sees_the_dev_records_alone(prepared: Prepared) -> None:
    job = end_model_job(prepared, "gold", {}, 0)
    assert prepared.dev.gold is not None
    assert job.probs.predict().tolist() == prepared.schema.end_of(prepared.dev.gold).tolist()
    assert (job.features != prepared.dev.features).nnz == 0
    assert job.dev is None


def test_no_arm_sees_the_hidden_gold(prepared: Prepared) -> None:
    assert prepared.train.gold is not None
    assert prepared.test.gold is not None
    others = prepared.schema.task_codes[1 - prepared.schema.end_of(prepared.test.gold).clip(0, 1)]
    blind = replace(prepared, train=replace(prepared.train, gold=None), test=replace(prepared.test, gold=others))
    for key in prepared.label_arms:
        assert np.array_equal(fit_label_arm(prepared, key, 0).train.end, fit_label_arm(blind, key, 0).train.end)


def test_without_root_lfs_only_the_lower_ones_vote(prepared: Prepared) -> None:
    lower = prepared.votes(prepared.train, LABEL_ARMS["paper, no root"])
    assert set(lower.tasks) == {"corporate", "markets"}


def test_a_flat_task_has_no_multi_level_table() -> None:
    schema = mw.TaskSchema.flat(list(toy.SCHEMA.end_labels), task="topic")
    words = {"Performance": "profit", "Funding": "bond", "Money": "dollar", "Commodity": "oil"}
    lfs = [mw.keywords("topic", label, [word], field="text") for label, word in words.items()]
    found = run_experiment("flat", lambda: toy.job(False, schema, lfs), trials=1, n_jobs=1)
    assert [table.name for table in found.tables] == ["Table 1", "Table 2", "Table 3"]
    assert all("train" not in row.values for table in found.tables for row in table.rows)


def test_progress_counts_to_the_end() -> None:
    seen: list[tuple[int, int, str]] = []
    run(trials=1, progress=lambda done, total, what: seen.append((done, total, what)))
    assert [done for done, _, _ in seen] == list(range(1, 4 + len(END_ARMS) + 1))
    assert seen[-1][:2] == (4 + len(END_ARMS), 4 + len(END_ARMS))
    assert seen[0][2] == "read the records"
    assert seen[-1][2].startswith("trial 1 of 1: trained ")


def test_warnings_of_the_models_become_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    def warn(*args: Any) -> Any:
        warnings.warn("The paper's model has left.", MetalworkWarning)
        return fit_label_arm(*args)

    monkeypatch.setattr(_protocol, "fit_label_arm", warn)
    assert run(trials=1).notes[-1] == "The paper's model has left."


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trials": 0}, "trials must be a whole number of at least 1; got 0."),
        ({"seed": -1}, "seed must be a whole number of at least 0; got -1."),
        ({"n_jobs": 1.5}, "n_jobs must be a whole number of at least 1; got 1.5."),
    ],
)
def test_numbers_out_of_range_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        run(**options)


def test_an_unknown_experiment_gets_a_suggestion() -> None:
    with pytest.raises(ConfigError, match=r"^'opni' is no experiment\. Did you mean 'openi'\?$"):
        reproduce("opni")


def test_reproduce_runs_the_named_data_set_and_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_protocol, "load_example", lambda name: {"rcv1": toy.job()}[name])
    found = reproduce("rcv1", trials=1, out=tmp_path, n_jobs=1)
    assert (tmp_path / "rcv1.md").read_text(encoding="utf-8") == found.to_markdown()
