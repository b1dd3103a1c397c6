"""The comparison of architectures: its settings, networks and tables, on a made-up tree."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import metalwork as mw
from metalwork.errors import ConfigError
from metalwork.experiments import Results, Row, _architectures, compare_architectures
from metalwork.experiments._architectures import ARMS, _job, known_labels, plan_of, settings_of, softened
from metalwork.experiments._shares import SharesTable, interval
from metalwork.experiments._trees import TreeData
from tests.unit.end_models.samples import TRIAGE, UNEVEN, words


def tree(schema: mw.TaskSchema = TRIAGE, soft: bool = False) -> TreeData:
    train, test = words(schema, 160), words(schema, 60, seed=1)
    known = schema.known_codes(test.labels)
    probs = train.probs if soft else None
    return TreeData(schema, train.counts, train.labels, test.counts, known, probs, {"Records": "train 160"})


@pytest.fixture(scope="module")
def results() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_architectures, "load_tree", lambda name: tree(soft=True))
        yield compare_architectures("clinc", trials=2, n_jobs=1)


def coarse_share(schema: mw.TaskSchema, known: Any) -> float:
    return float((schema.end_of(known) < 0).mean())


def test_a_share_of_every_label_becomes_coarse() -> None:
    data = tree()
    for setting, share in (("fine labels", 0.0), ("50 % coarse only", 0.5), ("90 % coarse only", 0.9)):
        known = known_labels(data, setting, np.random.default_rng(0))
        assert coarse_share(TRIAGE, known) == pytest.approx(share, abs=0.02), setting
        assert TRIAGE.admits(known)[np.arange(160), data.labels].all()
    known = known_labels(data, "3 fine a label", np.random.default_rng(0))
    assert np.bincount(data.labels[TRIAGE.end_of(known) >= 0]).tolist() == [3, 3, 3, 3]


def test_a_coarse_label_is_the_one_right_above_and_labels_of_the_root_stay() -> None:
    data = tree(UNEVEN)
    known = known_labels(data, "90 % coarse only", np.random.default_rng(0))
    names = np.array(UNEVEN.end_labels)[data.labels]
    assert (UNEVEN.end_of(known)[names == "a0"] == 0).all()
    deep = known[names == "c1"]
    assert set(map(tuple, deep.tolist())) == {(1, 1, -1, -2), (1, 1, 1, -2)}


def test_the_control_has_as_many_parameters_as_the_papers_network() -> None:
    data = tree()
    sizes = {method: plan_of(arm, data).n_parameters for method, arm in ARMS.items()}
    control = sizes["One layer, one head, as many parameters as HierMTL"]
    assert control == pytest.approx(sizes["HierMTL"], rel=0.005)
    assert control <= sizes["HierMTL"]
    assert sizes["One layer, all heads (default)"] < control


def test_a_network_a_row_and_a_setting_a_column(results: Results) -> None:
    table, gains = results.tables
    assert [row.method for row in table.rows] == list(ARMS)
    assert table.header == ("Network", "Parameters", *settings_of(tree(soft=True)))
    assert settings_of(tree(soft=True))[0] == "label model"
    assert settings_of(tree())[0] == "fine labels"
    assert {len(values) for row in table.rows for values in row.values.values()} == {2}
    assert [row.method for row in gains.rows] == list(ARMS)[:-1]


def test_arms_that_differ_in_coarse_labels_alone_are_level_without_them(results: Results) -> None:
    found = {row.method: row.values for row in results.tables[0].rows}
    plain, default = found["One layer, all heads, not balanced"], found["One layer, all heads (default)"]
    assert plain["fine labels"] == default["fine labels"]
    assert plain["label model"] == default["label model"]
    assert plain["90 % coarse only"] != default["90 % coarse only"]


def test_soft_labels_fall_with_distance_in_the_tree() -> None:
    """Of two levels: siblings exp(-5) of the label itself, others exp(-10)."""
    found = softened(TRIAGE)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    kin = TRIAGE.task_codes[:, 0]
    for label in range(TRIAGE.n_end_labels):
        own = found[label] / found[label, label]
        near = (kin == kin[label]) & (np.arange(len(kin)) != label)
        np.testing.assert_allclose(own[near], np.exp(-5.0))
        np.testing.assert_allclose(own[kin != kin[label]], np.exp(-10.0))


def test_the_control_of_coarse_labels_leaves_their_records_out() -> None:
    data = tree()
    known = known_labels(data, "90 % coarse only", np.random.default_rng(0))
    fine = TRIAGE.end_of(known) >= 0
    job = _job(data, ARMS["One layer, all heads, fine records alone"], "90 % coarse only", known, 0)
    assert job.features.shape[0] == len(job.labels) == fine.sum() < 30
    np.testing.assert_array_equal(TRIAGE.end_of(job.labels), data.labels[fine])


def test_results_name_their_command(results: Results, tmp_path: Path) -> None:
    as_json, as_markdown = results.write(tmp_path)
    assert as_json.name == "architectures-clinc.json"
    text = as_markdown.read_text(encoding="utf-8")
    assert (
        "`metalwork reproduce architectures --data clinc --trials 2 --seed 0`: mean ± half the 95 % interval"
        in text
    )
    stored = json.loads(as_json.read_text(encoding="utf-8"))["tables"][0]["rows"][0]
    assert stored["parameters"] == plan_of(ARMS["SingleTask"], tree()).n_parameters
    assert set(stored["metrics"]["fine labels"]) == {"mean", "std", "values", "interval"}


def test_intervals_are_of_students_t() -> None:
    row = Row("a", {"x": (0.5, 0.6, 0.7)})
    assert interval(row, "x") == pytest.approx(4.302653 * 0.1 / 3**0.5)
    assert interval(Row("a", {"x": (0.5,)}), "x") is None


def test_differences_are_paired_by_trial() -> None:
    rows = (Row("a", {"x": (0.5, 0.7)}), Row("b", {"x": (0.4, 0.6)}))
    table = SharesTable("Accuracy", "of both", rows, parameters={"a": 1000, "b": 2})
    assert table.cells() == [("a", "1,000", "60.0 ± 127.1"), ("b", "2", "50.0 ± 127.1")]
    assert table.minus("b", "Difference", "from b").cells() == [("a", "1,000", "+10.0 ± 0.0")]


def test_an_unknown_data_set_gets_a_suggestion() -> None:
    with pytest.raises(ConfigError, match=r"^'clink' is no data set\. Did you mean 'clinc'\?$"):
        compare_architectures("clink")
