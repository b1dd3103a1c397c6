"""A label model that cannot learn says so, and what to add."""

import re
import warnings
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

import metalwork as mw
from metalwork.errors import MetalworkWarning
from tests.simulated import simulate
from tests.unit.schemas import SECTORS

SCHEMA = mw.TaskSchema.flat(["a", "b"])


def fit(codes: list[list[int]], dev: list[int] | None = None) -> mw.HierarchicalLabelModel:
    votes = mw.LabelMatrix(codes, SCHEMA)
    known = None if dev is None else (votes.rows(slice(len(dev))), dev)
    return mw.HierarchicalLabelModel(SCHEMA).fit(votes, dev=known)


def test_lfs_that_never_overlap_are_not_identifiable() -> None:
    said = (
        "No record has two votes, so votes cannot be compared and the precision of an LF is not identifiable: it "
        "stays what was believed beforehand. Give dev labels, precision and strength, or LFs that overlap."
    )
    with pytest.warns(MetalworkWarning, match=f"^{re.escape(said)}$"):
        fit([[0, -1], [-1, 1], [1, -1]])


def test_a_matrix_without_votes_is_named() -> None:
    said = "No LF votes on any record: every record gets the class prior. Look at the LFs."
    with pytest.warns(MetalworkWarning, match=f"^{re.escape(said)}$"):
        fit([[-1, -1], [-1, -1]])


def test_lfs_that_overlap_two_by_two_are_not_identifiable() -> None:
    said = (
        "No LF overlaps with two others, and how often two agree does not tell which of them is right: their "
        "precisions are not identifiable, but only what they have in common. Give dev labels, precision and "
        "strength, or LFs that overlap."
    )
    with pytest.warns(MetalworkWarning, match=f"^{re.escape(said)}$"):
        fit([[0, 0], [1, 1], [1, 0]])
    with pytest.warns(MetalworkWarning, match=f"^{re.escape(said)}$"):
        fit([[0, 0, -1, -1], [-1, -1, 1, 0], [-1, 1, -1, -1]])


def test_a_task_whose_lfs_never_overlap_is_named_on_demand() -> None:
    """LFs written to complement each other are the ordinary case: no warning."""
    schema = mw.TaskSchema.from_dict(SECTORS)
    codes = [[0, 0, 0, 0, -1], [0, 1, 0, -1, 1], [1, 1, 1, -1, -1]]
    tasks = ["sector", "sector", "sector", "corporate", "corporate"]
    diagnosis = mw.HierarchicalLabelModel(schema).fit(mw.LabelMatrix(codes, schema, tasks)).diagnose()
    assert diagnosis.never_compared == ("corporate",)
    assert "No record has two votes on task 'corporate' or below" in str(diagnosis)


def test_overlap_or_dev_labels_are_enough() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit([[0, 0, -1], [1, 1, -1], [-1, 1, 0]])
        fit([[0, -1], [-1, 1]], dev=[0, 1])
        fit([[0, 0], [1, 0]], dev=[0, 1])


def caught(fit: Callable[[], object]) -> list[str]:
    """What a fit warns of."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        fit()
    assert all(warning.category is MetalworkWarning for warning in found)
    return [str(warning.message) for warning in found]


def test_end_labels_that_no_lf_votes_for_are_named() -> None:
    schema = mw.TaskSchema.from_dict(SECTORS)
    tasks = ["sector", "corporate", "markets"]
    above = mw.LabelMatrix([[0, 0, -1], [1, -1, 1], [0, 0, -1], [1, -1, -1]], schema, tasks)
    assert caught(lambda: mw.HierarchicalLabelModel(schema).fit(above, dev=(above, [0, 3, 1, 2]))) == []
    below = mw.LabelMatrix([[-1, 0, 1], [-1, 0, -1]], schema, tasks)
    assert caught(lambda: mw.HierarchicalLabelModel(schema).fit(below, dev=(below, [0, 3]))) == [
        "No LF votes for end labels 'Funding' and 'Money', nor for a label above them, so votes only ever speak "
        "against them. Write LFs that vote for them."
    ]
    said = (
        "No LF votes for end label 'b', nor for a label above it, so votes only ever speak against it. Write LFs "
        "that vote for it."
    )
    assert caught(lambda: fit([[0, 0, -1], [0, -1, 0], [-1, 0, 0]])) == [said]


def test_a_set_speaks_for_every_label_in_it() -> None:
    schema = mw.TaskSchema.flat(["a", "b", "c"])
    outcomes = {f"lf_{j}": [[0, 1, 1, float("nan")], [1, 1, 0, float("nan")]] for j in range(3)}
    votes = mw.LabelMatrix([[0, 0, 0], [1, 1, 0], [1, 0, 1]], schema, outcomes=outcomes)
    assert caught(lambda: mw.HierarchicalLabelModel(schema).fit(votes)) == []


def test_a_dev_set_of_one_class_is_named() -> None:
    codes = [[0, 0, -1], [1, 1, -1], [-1, 1, 0]]
    assert caught(lambda: fit(codes, dev=[1, 1, 1])) == [
        "All dev records (3) are 'b': they pull the class balance towards it and say little of how good LFs are "
        "on other labels. Add dev records of the others, or leave dev labels out."
    ]
    assert caught(lambda: fit(codes, dev=[])) == []


def raters(accuracy: float, seed: int, n_points: int = 2_000) -> tuple[mw.LabelMatrix, npt.NDArray[np.int64]]:
    """Eight LFs that always vote, each right with the same probability, whatever the others say."""
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=n_points)
    right = rng.random((n_points, 8)) < accuracy
    return mw.LabelMatrix(np.where(right, y[:, None], 1 - y[:, None]), SCHEMA), y


@pytest.mark.parametrize("n_dev", [50, 1_000])
@pytest.mark.parametrize("seed", range(3))
def test_dev_labels_that_lfs_contradict_name_them(n_dev: int, seed: int) -> None:
    votes, y = raters(0.2, seed)
    model = mw.HierarchicalLabelModel(SCHEMA)
    found = caught(lambda: model.fit(votes, dev=(votes.rows(slice(n_dev)), y[:n_dev])))
    assert found[0].startswith("8 of 8 LFs are worse than chance on the dev records: lf_0 (")
    assert found[0].endswith("turn what these LFs say round, or leave them out.")
    assert model.diagnose().notes()[: len(found)] == found


@pytest.mark.parametrize("seed", range(3))
def test_dev_labels_that_contradict_good_lfs_are_named(seed: int) -> None:
    votes, y = raters(0.8, seed)
    dev = votes.rows(slice(200))
    turned = caught(lambda: mw.HierarchicalLabelModel(SCHEMA).fit(votes, dev=(dev, 1 - y[:200])))
    assert turned[0].startswith("8 of 8 LFs are worse than chance")
    shuffled = caught(lambda: mw.HierarchicalLabelModel(SCHEMA).fit(votes, dev=(dev, y[1:201])))
    assert any(
        said.startswith("Dev labels contradict the votes: of 200 dev records with a vote ") for said in shuffled
    )


def test_one_bad_lf_among_good_ones_is_named_alone() -> None:
    votes, y = raters(0.8, 0)
    codes = votes.codes.copy()
    codes[:, 3] = 1 - codes[:, 3]
    bad = mw.LabelMatrix(codes, SCHEMA)
    (said,) = caught(lambda: mw.HierarchicalLabelModel(SCHEMA).fit(bad, dev=(bad.rows(slice(100)), y[:100])))
    assert said.startswith("An LF is worse than chance on the dev records: lf_3 (")


@pytest.mark.parametrize("n_dev", [10, 50, 500])
def test_dev_labels_that_agree_with_the_votes_raise_no_alarm(n_dev: int) -> None:
    for seed in range(10):
        found = simulate(np.random.default_rng(seed), mw.TaskSchema.from_dict(SECTORS), 600, lfs_a_task=3)
        dev = (found.votes.rows(slice(n_dev)), found.y[:n_dev])
        model = mw.HierarchicalLabelModel(found.votes.schema, kind="rules")
        assert caught(lambda model=model, found=found, dev=dev: model.fit(found.votes, dev=dev)) == []  # type: ignore[misc]


@pytest.mark.parametrize(("n_right", "named"), [(8, False), (7, False), (4, True), (3, True)])
def test_votes_as_likely_with_labels_exchanged_are_named(n_right: int, named: bool) -> None:
    """Of eight LFs some are right in four fifths of cases, the others in one: which, votes cannot tell."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 3_000)
    accuracy = np.where(np.arange(8) < n_right, 0.8, 0.2)
    codes = np.where(rng.random((3_000, 8)) < accuracy, y[:, None], 1 - y[:, None])
    votes = mw.LabelMatrix(codes, SCHEMA)

    def said(dev: tuple[mw.LabelMatrix, npt.NDArray[np.int64]] | None) -> bool:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", MetalworkWarning)
            mw.HierarchicalLabelModel(SCHEMA).fit(votes, dev=dev)
        return any("nearly as likely with 'a' and 'b' exchanged" in str(one.message) for one in caught)

    assert said(None) is named
    assert not said((votes.rows(slice(50)), y[:50]))
