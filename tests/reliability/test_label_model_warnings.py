"""A label model that cannot learn says so, and what to add."""

import re
import warnings

import pytest

import metalwork as mw
from metalwork.errors import MetalworkWarning
from tests.unit.schemas import SECTORS

SCHEMA = mw.TaskSchema.flat(["a", "b"])


def fit(codes: list[list[int]], dev: bool = False) -> mw.HierarchicalLabelModel:
    votes = mw.LabelMatrix(codes, SCHEMA)
    return mw.HierarchicalLabelModel(SCHEMA).fit(votes, dev=(votes, [0] * votes.n_points) if dev else None)


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
        fit([[0, -1], [-1, 0]], dev=True)
        fit([[0, 0], [1, 0]], dev=True)
