"""Agreement against the examples of those who defined it."""

import numpy as np
import pytest

import metalwork as mw
from metalwork.analysis import _agreement, agreement
from metalwork.errors import VotesError

# Krippendorff (2011), "Computing Krippendorff's alpha-reliability", example C: four observers, twelve units.
OBSERVERS = ["123321412...", "1233224125.3", ".3332342251.", "12332441251."]
# Fleiss (1971) as worked through on many pages: ten subjects, fourteen raters, five categories.
SUBJECTS = [
    (0, 0, 0, 0, 14),
    (0, 2, 6, 4, 2),
    (0, 0, 3, 5, 6),
    (0, 3, 9, 2, 0),
    (2, 2, 8, 1, 1),
    (7, 7, 0, 0, 0),
    (3, 2, 6, 3, 0),
    (2, 5, 3, 2, 2),
    (6, 5, 2, 1, 0),
    (0, 2, 2, 3, 7),
]
FIVE = mw.TaskSchema.flat(["a", "b", "c", "d", "e"])
TREE = mw.TaskSchema.from_dict({"task": "t", "labels": [{"x": {"task": "u", "labels": ["y", "z"]}}, "w"]})


def observers() -> mw.LabelMatrix:
    codes = [[-1 if mark == "." else int(mark) - 1 for mark in row] for row in OBSERVERS]
    return mw.LabelMatrix(np.array(codes).T, FIVE)


@pytest.mark.parametrize("cells", [1, 1 << 22])
def test_alpha_takes_records_with_any_number_of_votes(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_agreement, "_CELLS", cells)
    found = agreement(observers())
    assert found.krippendorff_alpha == pytest.approx(0.743, abs=5e-4)
    assert (found.n_points, found.n_lfs, found.n_votes) == (11, 4, 40)
    assert found.fleiss_kappa is None
    assert found.notes == (
        "Fleiss' kappa needs the same number of votes on every record; they have 1 to 4. "
        "Krippendorff's alpha takes any.",
    )


def test_kappa_of_the_textbook() -> None:
    rows = [[code for code, n in enumerate(counts) for _ in range(n)] for counts in SUBJECTS]
    found = agreement(mw.LabelMatrix([*rows, [-1] * 14], FIVE))
    assert found.fleiss_kappa == pytest.approx(0.210, abs=5e-4)
    assert found.observed == pytest.approx(0.378, abs=5e-4)
    assert found.notes == ()


def test_what_cannot_be_compared_says_so() -> None:
    alone = agreement(mw.LabelMatrix([[0, -1], [-1, 1]], FIVE))
    assert (alone.n_points, alone.observed, alone.krippendorff_alpha, alone.fleiss_kappa) == (0, None, None, None)
    assert alone.notes == ("No record has two votes, so nothing can be compared.",)
    same = agreement(mw.LabelMatrix([[0, 0]], FIVE))
    assert (same.observed, same.krippendorff_alpha, same.fleiss_kappa) == (1.0, None, None)
    assert same.notes == ("All votes are for one label, so there is no chance agreement to compare with.",)


def test_a_task_is_named_where_there_are_several() -> None:
    votes = mw.LabelMatrix([[0, 1, 1], [1, 0, 1]], TREE, ["t", "u", "u"])
    assert agreement(votes, "u").n_lfs == 2
    assert agreement(votes.lfs([1, 2])) == agreement(votes, "u")
    with pytest.raises(VotesError, match=r"^task must be named: the LFs vote on 2 tasks\. Pass task='t'\.$"):
        agreement(votes)
    sets = mw.LabelMatrix([[0, 0]], TREE, ["u", "u"], ["one", "two"], outcomes={"two": [[1, 1, 0]]})
    with pytest.raises(VotesError) as caught:
        agreement(sets)
    assert str(caught.value) == (
        "Votes on task 'u' must be labels; got sets or soft votes of 'two'. Leave such LFs out with votes.lfs."
    )


def test_it_prints_and_becomes_json() -> None:
    found = agreement(mw.LabelMatrix([[0, 0], [0, 1], [1, 1]], FIVE))
    assert str(found).splitlines()[0] == "Agreement on task label: 6 votes on 3 records"
    assert "Agreement on task label" in found._repr_html_()
    assert found.to_dict()["notes"] == []
