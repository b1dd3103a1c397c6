"""Confusion tables of labeling functions, counted by hand."""

import numpy as np
import pytest

import metalwork as mw
from metalwork.analysis import lf_confusion
from metalwork.errors import VotesError

TREE = mw.TaskSchema.from_dict({"task": "t", "labels": [{"x": {"task": "u", "labels": ["y", "z"]}}, "w"]})


def test_true_labels_stand_down_the_side_and_what_was_said_across_the_top() -> None:
    votes = mw.LabelMatrix([[0, 0], [1, 1], [1, -1], [0, 0], [0, 1]], TREE, ["t", "u"], ["top", "low"])
    found = lf_confusion(votes, ["y", "w", "x", None, "z"])
    assert list(found) == ["top", "low"]
    assert (found["top"].labels, found["top"].columns) == (("x", "w"), ("x", "w", "(abstains)"))
    assert found["top"].counts == ((2, 1, 0), (0, 1, 0))
    assert found["low"].labels == ("y", "z", "(does not apply)")
    assert found["low"].columns == ("y", "z", "(abstains)")
    assert found["low"].counts == ((1, 0, 0), (0, 1, 0), (0, 1, 0))  # the record known as x alone is left out


def test_sets_and_soft_votes_have_the_columns_that_occur() -> None:
    flat = mw.TaskSchema.flat(["a", "b", "c"], task="t")
    sets = mw.LabelMatrix(
        [[0], [1], [-1]],
        flat,
        names=["rule"],
        outcomes={"rule": [[1, 1, 0, np.nan], [0, 0, 1, np.nan], [1, 0, 0, np.nan]]},
    )
    found = lf_confusion(sets, ["a", "b", "b"])["rule"]
    assert found.columns == ("not c", "c", "(abstains)")
    assert found.counts == ((1, 0, 0), (0, 1, 1), (0, 0, 0))
    soft = mw.LabelMatrix.from_soft([np.array([[0.6, 0.4, 0.0], [0.6, 0.0, 0.4]])], flat, names=["model"])
    assert lf_confusion(soft, ["a", "b"])["model"].columns == ("a 0.6", "(abstains)")
    assert lf_confusion(soft, ["a", "b"])["model"].counts == ((1, 0), (1, 0), (0, 0))


def test_gold_must_fit() -> None:
    with pytest.raises(VotesError, match=r"^y must hold one label a record \(1\); got 2\.$"):
        lf_confusion(mw.LabelMatrix([[0]], TREE, ["t"]), ["w", "w"])
