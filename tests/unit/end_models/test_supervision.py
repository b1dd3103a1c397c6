"""A task of which nothing is said is one error, not a head of noise."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import metalwork as mw
from metalwork.errors import ConfigError, MetalworkWarning, VotesError
from tests.unit.end_models.samples import TRIAGE, UNEVEN, words

DATA = words(TRIAGE, 40)
MESSAGE = (
    "probs must say something of every task; they say nothing of 'non_acute', whose 2 labels no training record "
    "tells apart. Write a labeling function that votes on it, give known labels of it, or take the task out of "
    "the schema."
)


def silent_on_non_acute() -> Any:
    end = DATA.probs.end.copy()
    end[:, 2:] = end[:, 2:].mean(axis=1, keepdims=True)
    return end


def test_a_task_of_which_probabilities_say_nothing_is_named() -> None:
    probs = mw.TaskProbabilities(silent_on_non_acute(), TRIAGE)
    for architecture in ("tree", "linear"):
        with pytest.raises(VotesError) as caught:
            mw.EndModel(TRIAGE, architecture).fit(DATA.counts, probs)
        assert str(caught.value) == MESSAGE
    with pytest.raises(VotesError) as caught:
        mw.EndModel(TRIAGE).fit_parts([(DATA.counts[:20], probs.rows(slice(20))), (DATA.counts[20:], probs[20:])])
    assert str(caught.value) == MESSAGE


def test_it_may_be_a_warning() -> None:
    probs = mw.TaskProbabilities(silent_on_non_acute(), TRIAGE)
    told = (
        "Nothing tells apart the labels of 'non_acute': no labeling function votes there; the end model guesses."
    )
    with pytest.warns(MetalworkWarning) as caught:
        mw.EndModel(TRIAGE, max_epochs=1, unsupervised="warn").fit(DATA.counts, probs)
    assert [str(warning.message) for warning in caught] == [told]
    with pytest.raises(ConfigError, match=r"^unsupervised must be one of 'error', 'warn'; got 'no'\."):
        mw.EndModel(TRIAGE, unsupervised="no").fit(DATA.counts, probs)


def test_a_run_goes_on_and_says_so(tmp_path: Path) -> None:
    texts = pl.DataFrame({"text": [f"{name} case" for name in ("urgent", "emergent", "normal", "later")] * 5})
    lfs = [
        mw.keywords("triage", "Acute", ["urgent", "emergent"], field="text"),
        mw.keywords("triage", "Non-acute", ["normal", "later"], field="text"),
        mw.keywords("acute", "Urgent", ["urgent"], field="text"),
    ]
    run = mw.Run.of(
        TRIAGE, lfs, train=texts, features={"text": "text"}, folder=tmp_path, end_model={"max_epochs": 1}
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run.run()
    assert any(str(w.message).startswith("Nothing tells apart the labels of 'non_acute':") for w in caught)
    assert run.steps[-1] == "report"


def test_one_record_that_says_something_is_enough() -> None:
    end = silent_on_non_acute()
    end[7] = [0.1, 0.1, 0.5, 0.3]
    mw.EndModel(TRIAGE, max_epochs=1).fit(DATA.counts, mw.TaskProbabilities(end, TRIAGE))


def test_shares_by_end_labels_say_nothing_either() -> None:
    data = words(UNEVEN, 40)
    end = np.tile([0.1, 0.2, 0.4 / 3, 0.4 / 3, 0.4 / 3, 0.2, 0.1], (40, 1))
    with pytest.raises(VotesError, match=r"they say nothing of 'c', whose 3 labels"):
        mw.EndModel(UNEVEN).fit(data.counts, mw.TaskProbabilities(end, UNEVEN))
    end = np.tile([0.1, 0.15, 0.15, 0.14, 0.16, 0.2, 0.1], (40, 1))  # b0 a quarter of b's end labels
    with pytest.raises(VotesError, match=r"they say nothing of 'b', whose 2 labels"):
        mw.EndModel(UNEVEN).fit(data.counts, mw.TaskProbabilities(end, UNEVEN))


def test_a_label_model_without_votes_on_a_task_is_found_out() -> None:
    rng = np.random.default_rng(0)
    votes = mw.LabelMatrix(rng.integers(-1, 2, (40, 3)), TRIAGE, tasks=["triage", "triage", "acute"])
    for model in (mw.HierarchicalLabelModel(TRIAGE), mw.MajorityVote(TRIAGE, mode="soft")):
        probs = model.fit(votes).predict_proba(votes)
        with pytest.raises(VotesError) as caught:
            mw.EndModel(TRIAGE).fit(DATA.counts, probs)
        assert str(caught.value) == MESSAGE


def test_tasks_that_do_not_apply_and_coarse_labels_are_left_alone() -> None:
    end = np.tile([0.7, 0.3, 0.0, 0.0], (40, 1))
    mw.EndModel(TRIAGE, max_epochs=1).fit(DATA.counts, mw.TaskProbabilities(end, TRIAGE))
    mw.EndModel(TRIAGE, max_epochs=1).fit(DATA.counts, ["Acute", "Non-acute"] * 20)
