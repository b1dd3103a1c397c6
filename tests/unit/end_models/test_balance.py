"""Heads whose labels few records tell: how much they count, and for whom."""

from typing import Any

import numpy as np
import pytest

from metalwork import EndModel, TaskProbabilities, TaskSchema
from metalwork.end_models._balance import HeadBalance
from metalwork.end_models._labels import read_labels
from tests.unit.end_models.samples import FLAT, TRIAGE, UNEVEN, words


def weights(schema: TaskSchema, labels: Any, sample_weight: Any = None) -> list[float]:
    balance = HeadBalance(schema)
    balance.add(read_labels(labels, schema), None if sample_weight is None else np.array(sample_weight))
    return [round(weight, 9) for weight in balance.head_weights().tolist()]


def test_a_head_counts_for_all_records_of_its_branch() -> None:
    labels = ["Acute", "Acute", "Acute", "Urgent", "Normal", "Non-urgent"]
    assert weights(TRIAGE, labels) == [1.0, 4.0, 1.0]  # four acute records, one of which says which


def test_each_task_counts_for_the_one_above() -> None:
    labels = ["a1", "a1", "b1", "c0", "a2", "d1", "a0"]
    assert weights(UNEVEN, labels) == [1.0, 4 / 2, 4 / 2 * 2 / 1, 2.0]


def test_records_count_by_their_weight() -> None:
    assert weights(TRIAGE, ["Acute", "Urgent", "Normal"], [3.0, 1.0, 5.0]) == [1.0, 4.0, 1.0]


def test_a_single_record_among_many_counts_a_hundred_times() -> None:
    assert weights(TRIAGE, ["Acute"] * 1000 + ["Urgent"]) == [1.0, 100.0, 1.0]


def test_a_task_that_no_record_tells_stays_at_one() -> None:
    assert weights(TRIAGE, ["Acute", "Normal"]) == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("schema", [TRIAGE, UNEVEN, FLAT], ids=["triage", "uneven", "flat"])
def test_probabilities_and_fine_labels_weigh_one(schema: TaskSchema) -> None:
    data = words(schema)
    assert set(weights(schema, data.probs)) == {1.0}
    assert set(weights(schema, data.labels, np.linspace(0.1, 3.0, 120))) == {1.0}


def test_probabilities_count_beside_coarse_labels() -> None:
    balance = HeadBalance(TRIAGE)
    balance.add(read_labels(TaskProbabilities.from_labels(["Urgent", "Urgent"], TRIAGE), TRIAGE), None)
    balance.add(read_labels(["Acute", "Acute"], TRIAGE), None)
    assert balance.head_weights().tolist() == [1.0, 2.0, 1.0]


def test_the_loss_of_a_head_is_multiplied() -> None:
    data = words(TRIAGE)
    names = ["Acute"] * 9 + ["Urgent"]
    options: dict[str, Any] = {"max_epochs": 1, "batch_size": 10, "scaling": "none", "lr": 1e-9}
    losses = {
        balanced: EndModel(TRIAGE, balance_levels=balanced, **options)
        .fit(data.counts[:10], names)
        .history_[0]["loss"]
        for balanced in (True, False)
    }
    head = EndModel(TRIAGE, **options).fit(data.counts[:10], ["Urgent"] * 10)
    coarse = EndModel(TRIAGE, **options).fit(data.counts[:10], ["Acute"] * 10).history_[0]["loss"]
    assert losses[True] - coarse == pytest.approx(10 * (losses[False] - coarse), rel=1e-4)
    assert head.history_[0]["loss"] > coarse


def test_rare_fine_labels_are_learned_beside_many_coarse_ones() -> None:
    data, unseen = words(TRIAGE, 2000), words(TRIAGE, 400, seed=5)
    known = TRIAGE.known_codes(data.labels)
    known[40:, 1:][known[40:, 1:] >= 0] = -1
    scores = {
        balanced: EndModel(TRIAGE, max_epochs=3, balance_levels=balanced)
        .fit(data.counts, known)
        .score(unseen.counts, unseen.labels)
        for balanced in (True, False)
    }
    assert scores[True] > scores[False] + 0.03
