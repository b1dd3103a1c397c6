"""Known labels in place of probabilities: names, codes, coarse and missing ones."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from metalwork import EndModel, TaskProbabilities
from metalwork.end_models import compile_plan, head_targets, known_targets
from tests.unit.end_models.samples import FLAT, TRIAGE, UNEVEN, words

DATA = words(TRIAGE)
NAMES = TRIAGE.end_names(DATA.labels)


def small(architecture: str = "hier", **options: Any) -> EndModel:
    return EndModel(TRIAGE, architecture, (16, 8), max_epochs=15, lr=0.01, **options)


@pytest.mark.parametrize("y", [DATA.labels, NAMES, pd.Series(NAMES), np.array(NAMES, dtype=object)], ids=type)
def test_known_labels_are_certain_probabilities(y: Any) -> None:
    certain = small().fit(DATA.counts, TaskProbabilities.from_labels(DATA.labels, TRIAGE))
    known = small().fit(DATA.counts, y)
    assert np.array_equal(known.predict_proba(DATA.counts).end, certain.predict_proba(DATA.counts).end)


@pytest.mark.parametrize("architecture", ["hier", "flat", "single", "linear"])
def test_targets_of_end_labels_are_those_of_their_probabilities(architecture: str) -> None:
    for schema in (FLAT, TRIAGE, UNEVEN):
        plan, ends = compile_plan(schema, architecture), np.arange(schema.n_end_labels)
        probable = head_targets(plan, TaskProbabilities.from_labels(ends, schema))
        assert known_targets(plan, schema, schema.known_codes(ends)).equal(probable)


def test_a_coarse_label_teaches_the_tasks_above_it_alone() -> None:
    known = TRIAGE.known_codes(["Acute", "Normal"])
    assert known_targets(compile_plan(TRIAGE), TRIAGE, known).tolist() == [[1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 1, 0]]
    single = known_targets(compile_plan(TRIAGE, "single"), TRIAGE, known)
    assert single.tolist() == [[0.5, 0.5, 0, 0], [0, 0, 1, 0]]


@pytest.mark.parametrize("architecture", ["hier", "flat", "single", "linear"])
def test_coarse_labels_help_where_they_can(architecture: str) -> None:
    coarse = ["Acute" if name in ("Urgent", "Emergent") else "Non-acute" for name in NAMES]
    model = small(architecture).fit(DATA.counts, coarse)
    unseen = words(TRIAGE, 100, seed=5)
    right = (model.predict_proba(unseen.counts).predict() < 2) == (
        unseen.labels < 2
    )  # the first two are the acute ones
    assert right.mean() > 0.85
    gold = np.where(unseen.labels < 2, "Acute", "Non-acute")
    assert model.score(unseen.counts, gold) == right.mean()


def test_records_without_a_label_are_left_out() -> None:
    kept = np.arange(0, 120, 2)
    y = [name if i % 2 == 0 else [None, float("nan"), "", -1][i % 4] for i, name in enumerate(NAMES)]
    sparse = small().fit(DATA.counts, y)
    alone = small().fit(DATA.counts[kept], DATA.labels[kept])
    assert np.array_equal(sparse.predict_proba(DATA.counts).end, alone.predict_proba(DATA.counts).end)
    assert sparse.score(DATA.counts, y) == alone.score(DATA.counts[kept], DATA.labels[kept])


def test_coarse_dev_labels_choose_the_epoch() -> None:
    dev = words(TRIAGE, 40, seed=3)
    exact = small().fit(DATA.counts, DATA.probs, dev=(dev.counts, dev.labels))
    with_gaps = small().fit(DATA.counts, DATA.probs, dev=(dev.counts[:3], ["Acute", None, dev.labels[2]]))
    with_gaps.network_.power = 1.0
    proba = with_gaps.predict_proba(dev.counts[:3])
    expected = -np.log([proba["triage"][0, 0], proba.end[2, dev.labels[2]]]).mean()
    assert with_gaps.history_[with_gaps.best_epoch_ - 1]["dev_loss"] == pytest.approx(expected, rel=1e-6)
    assert exact.history_[-1]["dev_accuracy"] == exact.score(dev.counts, dev.labels)
