"""The label matrix: what it holds, what it refuses, and its ways in and out."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

import metalwork as mw
from metalwork.errors import DataError, VotesError
from tests.unit.schemas import SECTORS

SCHEMA = mw.TaskSchema.from_dict(SECTORS)
FLAT = mw.TaskSchema.flat(["ham", "spam"])
TASKS = ("sector", "markets", "markets")
CODES = [[0, -1, -1], [1, 0, -1], [1, -1, 1], [-1, -1, -1]]


def matrix(codes: Any = CODES, **more: Any) -> mw.LabelMatrix:
    return mw.LabelMatrix(codes, SCHEMA, **{"tasks": TASKS, "names": ["a", "b", "c"], **more})


def same(first: mw.LabelMatrix, second: mw.LabelMatrix) -> bool:
    """Do two matrices hold the same votes, LFs, schema and errors?"""
    parts = [
        (v.codes.tolist(), v.codes.dtype, v.schema, v.tasks, v.names, v.errors.tolist()) for v in (first, second)
    ]
    return parts[0] == parts[1]


def test_the_helper_tells_matrices_apart() -> None:
    assert same(matrix(), matrix())
    others = [matrix(np.full((4, 3), -1)), matrix(names=["a", "b", "d"]), matrix(errors=[0, 1, 0])]
    others += [matrix(tasks=("sector", "markets", "corporate"))]
    assert not any(same(matrix(), other) for other in others)


def test_what_it_holds() -> None:
    votes = matrix(errors=[0, 2, 0])
    assert (votes.n_points, votes.n_lfs, len(votes)) == (4, 3, 4)
    assert votes.codes.dtype == np.int8
    assert votes.lfs_of("markets").tolist() == [1, 2]
    assert votes.lfs_of("corporate").tolist() == []
    assert repr(votes) == "LabelMatrix(n_points=4, n_lfs=3, tasks=['sector', 'corporate', 'markets'])"
    assert mw.LabelMatrix([[0], [-1]], FLAT).tasks == ("label",)
    assert mw.LabelMatrix(np.empty((0, 2), int), FLAT).names == ("lf_0", "lf_1")


@pytest.mark.parametrize(("n_labels", "dtype"), [(127, np.int8), (128, np.int16), (32768, np.int32)])
def test_codes_take_the_smallest_whole_numbers(n_labels: int, dtype: type) -> None:
    wide = mw.TaskSchema.flat([f"l{i}" for i in range(n_labels)])
    assert mw.LabelMatrix([[n_labels - 1]], wide).codes.dtype == dtype


def test_codes_come_in_any_whole_numbers_and_sparse() -> None:
    for codes in (np.array(CODES, float), np.array(CODES, np.int64), sparse.csr_array(np.array(CODES))):
        assert same(matrix(codes), matrix())
    unsigned = mw.LabelMatrix(np.array([[0, 1]], dtype=np.uint8), FLAT)
    assert unsigned.codes.tolist() == [[0, 1]]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"codes": [0, 1]}, "codes must have shape (n_points, n_lfs); got (2,)."),
    ({"codes": [[0.5, 0, 0]]}, "codes must be whole numbers; got dtype float64. Use -1 for an abstain."),
    ({"codes": [[np.nan, 0, 0]]}, "codes must be whole numbers; got dtype float64. Use -1 for an abstain."),
    ({"codes": [[1e300, 0, 0]]}, "codes must be whole numbers; got dtype float64. Use -1 for an abstain."),
    ({"codes": [["a", "b", "c"]]}, "codes must be whole numbers; got dtype <U1. Use -1 for an abstain."),
    ({"codes": [[True, False, True]]}, "codes must be whole numbers; got dtype bool. Use -1 for an abstain."),
    ({"codes": [[0, 0]]}, "tasks must name one task an LF (2); got 3."),
    (
        {"codes": [[0, 0, 0], [0, 2, 0]]},
        "LF 'b' votes on task 'markets', so its codes must be -1 (abstain) or 0..1; got 2 at row 1.",
    ),
    (
        {"codes": [[-2, 0, 0]]},
        "LF 'a' votes on task 'sector', so its codes must be -1 (abstain) or 0..1; got -2 at row 0.",
    ),
    ({"tasks": None}, "tasks must name the task of each LF; the schema has 3 tasks."),
    ({"tasks": ("sector", "market", "markets")}, "'market' is no task. Did you mean 'markets'?"),
    ({"names": ["a"]}, "names must hold one name an LF (3); got 1."),
    ({"names": ["a", "b", "b"]}, "LF names must be distinct; got twice: b. Rename one."),
    ({"errors": [1]}, "errors must have one count an LF (3); got shape (1,)."),
    ({"errors": [0, -1, 0]}, "errors must be counts of at least 0; got -1 for LF 'b'."),
]


@pytest.mark.parametrize(("wrong", "text"), WRONG, ids=range(len(WRONG)))
def test_what_it_refuses(wrong: dict[str, Any], text: str) -> None:
    with pytest.raises(VotesError) as caught:
        matrix(**wrong)
    assert str(caught.value) == text


def test_rows_lfs_and_concatenate() -> None:
    votes = matrix(errors=[0, 2, 1])
    assert votes.rows([2, 0]).codes.tolist() == [[1, -1, 1], [0, -1, -1]]
    assert votes.rows(slice(1, 3)).codes.tolist() == CODES[1:3]
    assert votes.rows(np.array([True, False, False, True])).codes.tolist() == [CODES[0], CODES[3]]
    assert votes.rows([0]).errors.tolist() == [0, 0, 0]
    some = votes.lfs([2, 0])
    assert (some.names, some.tasks, some.errors.tolist()) == (("c", "a"), ("markets", "sector"), [1, 0])
    assert some.codes.tolist() == [[row[2], row[0]] for row in CODES]
    both = mw.LabelMatrix.concatenate([votes, votes.rows([1])])
    assert both.codes.tolist() == [*CODES, CODES[1]]
    assert both.errors.tolist() == [0, 2, 1]
    with pytest.raises(VotesError, match=r"^parts must share schema, tasks and names; they differ\.$"):
        mw.LabelMatrix.concatenate([votes, some])
    with pytest.raises(VotesError, match=r"^parts must hold at least one label matrix; got none\.$"):
        mw.LabelMatrix.concatenate([])


def test_snorkel_both_ways() -> None:
    votes = matrix()
    assert votes.to_snorkel("markets").tolist() == [row[1:] for row in CODES]
    back = mw.LabelMatrix.from_snorkel(votes.to_snorkel("markets"), SCHEMA, "markets", ["b", "c"])
    assert same(back, votes.lfs([1, 2]))
    flat = mw.LabelMatrix([[0, -1], [1, 1]], FLAT)
    assert same(mw.LabelMatrix.from_snorkel(flat.to_snorkel(), FLAT), flat)
    with pytest.raises(VotesError) as caught:
        votes.to_snorkel()
    assert str(caught.value) == "task must be named: Snorkel's matrix holds one task, the schema 3."


def test_metal_both_ways() -> None:
    votes = matrix()
    matrices = votes.to_metal()
    assert [part.tolist() for part in matrices] == [
        [[1], [2], [2], [0]],
        [[]] * 4,
        [[0, 0], [1, 0], [0, 2], [0, 0]],
    ]
    assert same(mw.LabelMatrix.from_metal(matrices, SCHEMA, ["a", "b", "c"]), votes)
    sparsely = [sparse.csr_array(part) for part in matrices]
    assert same(mw.LabelMatrix.from_metal(sparsely, SCHEMA, ["a", "b", "c"]), votes)
    unsigned = [part.astype(np.uint8) for part in matrices]
    assert same(mw.LabelMatrix.from_metal(unsigned, SCHEMA, ["a", "b", "c"]), votes)
    with pytest.raises(VotesError, match=r"^matrices must be a list of one a task \(3\); got 2\.$"):
        mw.LabelMatrix.from_metal(matrices[:2], SCHEMA)
    with pytest.raises(VotesError) as caught:
        mw.LabelMatrix.from_metal([matrices[0], matrices[1], matrices[2][:2]], SCHEMA)
    assert str(caught.value) == "matrices must have one row a record each; got 4, 4, 2 rows."


# 3: one more than the child tasks' labels
HIERARCHY = [np.array([[1], [2], [0]]), np.array([[2], [3], [0]]), np.array([[3], [1], [0]])]


def test_the_last_value_of_metals_hierarchies_is_refused_or_read() -> None:
    with pytest.raises(VotesError) as caught:
        mw.LabelMatrix.from_metal(HIERARCHY, SCHEMA)
    assert str(caught.value) == (
        "matrices[1] must hold 0 or the labels 1..2 of 'corporate'; got 3 at row 1, LF 0. Where the last value "
        "means 'does not apply', as in MeTaL's task hierarchies, pass last_is_not_applicable=True."
    )
    votes = mw.LabelMatrix.from_metal(HIERARCHY, SCHEMA, ["a", "b", "c"], last_is_not_applicable=True)
    assert votes.codes.tolist() == [[0, 1, 2], [1, 2, 0], [-1, -1, -1]]
    assert list(votes.outcomes) == ["b", "c"]
    assert votes.outcomes["b"][-1].tolist() == [0, 0, 1]
    assert mw.MajorityVote(SCHEMA).fit(votes).predict(votes)[:2].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("value", "remedy"),
    [
        (3, "Give the matrices in the order of schema.tasks."),
        (-1, "Matrices in which -1 abstains and labels start at 0 are for LabelMatrix, or from_snorkel."),
    ],
)
@pytest.mark.parametrize("told", [True, False])
def test_matrices_that_are_not_metals_are_refused_in_metals_words(value: int, remedy: str, told: bool) -> None:
    with pytest.raises(VotesError) as caught:
        mw.LabelMatrix.from_metal([np.array([[value]])] * 3, SCHEMA, last_is_not_applicable=told)
    assert str(caught.value) == (
        f"matrices[0] must hold 0 or the labels 1..2 of 'sector'; got {value} at row 0, LF 0. {remedy}"
    )


def test_records_keep_their_ids() -> None:
    votes = matrix(record_ids=["x", 7, "z", "y"])
    assert votes.record_ids == ("x", 7, "z", "y")
    assert votes.rows([1, 3]).record_ids == (7, "y")
    assert votes.rows(slice(0, 2)).lfs([0]).record_ids == ("x", 7)
    assert mw.LabelMatrix.concatenate([votes, votes.rows([0])]).record_ids == ("x", 7, "z", "y", "x")
    assert mw.LabelMatrix.concatenate([votes, matrix()]).record_ids is None
    named = matrix(names=["d", "e", "f"])
    assert mw.LabelMatrix.beside([named, votes]).record_ids == votes.record_ids
    with pytest.raises(
        VotesError, match=r"^parts must be over the same records in the same order; their ids diff"
    ):
        mw.LabelMatrix.beside([votes, matrix(names=["d", "e", "f"], record_ids=[1, 2, 3, 4])])
    with pytest.raises(VotesError, match=r"^record_ids must hold one id a record \(4\); got 1\.$"):
        matrix(record_ids=["x"])


def test_saved_and_loaded(tmp_path: Path) -> None:
    votes = matrix(errors=[0, 2, 1], names=["a", "naïve ☃", "c"])
    votes.save(tmp_path / "sub" / "votes.npz")
    assert mw.LabelMatrix.load(tmp_path / "sub" / "votes.npz").record_ids is None
    matrix(record_ids=["é", 2**60, "", "x"]).save(tmp_path / "ids.npz")
    assert mw.LabelMatrix.load(tmp_path / "ids.npz").record_ids == ("é", 2**60, "", "x")
    assert same(mw.LabelMatrix.load(tmp_path / "sub" / "votes.npz"), votes)
    assert [path.name for path in (tmp_path / "sub").iterdir()] == ["votes.npz"]


def test_loading_another_kind_of_file(tmp_path: Path) -> None:
    mw.TaskProbabilities.from_labels([0], SCHEMA).save(tmp_path / "p.npz")
    with pytest.raises(DataError) as caught:
        mw.LabelMatrix.load(tmp_path / "p.npz")
    assert (
        str(caught.value)
        == f"{tmp_path / 'p.npz'}: must be a 'metalwork label matrix 1' file; it is something else."
    )
