"""What LFs ask of text: annotated arguments, probabilities, columns of labels."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest

import metalwork as mw
from metalwork.errors import LabelingError
from metalwork.labeling._annotations import asked_kinds

SCHEMA = mw.TaskSchema.flat(["ham", "spam"], task="kind")


def csv_file(folder: Path, text: str) -> Path:
    path = folder / "a.csv"
    path.write_text(text)
    return path


def several(
    a: float, b: "int", c: bool | None, d: str | None, e: "float | None", f: int | float, g: float | str, h: Any
) -> None: ...


def for_checkers_alone(a: "Nowhere", b: "float | None", c: "typing.Optional[int]", d: "int | float") -> None: ...  # type: ignore[name-defined]  # noqa: F821


def numpy_and_aliases(a: np.float64, b: Annotated[int, "whole"], c, d: bool) -> None: ...  # type: ignore[no-untyped-def]


def test_annotations_ask_for_types() -> None:
    assert asked_kinds(several, 8) == (float, int, bool, str, float, float, None, None)
    assert asked_kinds(for_checkers_alone, 4) == (None, float, int, float)
    assert asked_kinds(numpy_and_aliases, 4) == (float, int, None, bool)
    assert asked_kinds(max, 2) == (None, None)


def test_an_annotated_argument_reads_numbers(tmp_path: Path) -> None:
    @mw.labeling_function(task="kind")
    def large(amount: float, n: int) -> str | None:
        assert type(amount) in (float, type(None))
        assert type(n) is int
        return "spam" if amount is not None and amount > 10 else None

    path = csv_file(tmp_path, "amount,n\n12.50,1\n,2\n9,3\n1e2,4.0\n")
    assert mw.apply([large], path, SCHEMA).codes[:, 0].tolist() == [1, -1, -1, 1]
    assert large.kinds == (float, int)
    named = mw.from_callable(lambda amount: None, "kind", name="x")
    assert named.kinds == (None,)


@pytest.mark.parametrize("backend", ["serial", "processes"])
def test_what_cannot_be_read_fails_on_its_record(tmp_path: Path, backend: str) -> None:
    def large(amount: float, n: int | None) -> str | None:
        return "spam" if amount and amount > 10 else None

    path = csv_file(tmp_path, "amount,n\n12,1\nn/a,2\n13,two\n")
    lf = mw.from_callable(large, "kind")
    options: dict[str, Any] = {"backend": backend, "n_jobs": 1, "chunk_size": 1}
    votes = mw.apply([lf], path, SCHEMA, max_error_rate=1.0, **options)
    assert (votes.codes[:, 0].tolist(), votes.errors.tolist()) == ([1, -1, -1], [2])
    with pytest.raises(LabelingError) as caught:
        mw.apply([lf], path, SCHEMA, **options)
    assert str(caught.value) == (
        "LF 'large' failed on 2 of 3 records, more than max_error_rate (0.01) allows; first at "
        f"row 1 of {path}: column 'amount' must hold a number; got 'n/a'. "
        "It must return a label of task 'kind', or mw.ABSTAIN; mend it or raise max_error_rate."
    )


def test_text_taken_for_a_number_is_explained(tmp_path: Path) -> None:
    lf = mw.from_callable(lambda amount: "spam" if amount > 10 else None, "kind", name="large")
    with pytest.raises(LabelingError) as caught:
        mw.apply([lf], csv_file(tmp_path, "amount\n12\n"), SCHEMA)
    assert (
        "TypeError: '>' not supported between instances of 'str' and 'int' (column 'amount' holds text; "
        "to read it as numbers annotate the argument: amount: float)."
    ) in str(caught.value)


def test_declared_types_reach_labeling_functions(tmp_path: Path) -> None:
    from metalwork.data import open_records

    lf = mw.from_callable(lambda amount: "spam" if amount > 10 else None, "kind", name="large")
    source = open_records(csv_file(tmp_path, "amount\n12\n7\n"), types={"amount": float})
    assert mw.apply([lf], source, SCHEMA).codes[:, 0].tolist() == [1, -1]


def test_probabilities_are_read_from_text(tmp_path: Path) -> None:
    lf = mw.from_probabilities("kind", {"p": "spam"})
    path = csv_file(tmp_path, "p,q\n0.9,\n,\n0.25,\nhigh,\n1.4,\n")
    votes = mw.apply([lf], path, SCHEMA, max_error_rate=1.0)
    numbers = mw.apply([lf], [{"p": 0.9}, {"p": 0.25}], SCHEMA)
    assert votes.codes[[0, 2], 0].tolist() == numbers.codes[:, 0].tolist()
    assert votes.codes[[1, 3, 4], 0].tolist() == [-1, -1, -1]
    assert votes.errors.tolist() == [2]
    with pytest.raises(LabelingError, match=r"first at row 3 of .*: column 'p' must hold a number; got 'high'\."):
        mw.apply([lf], path, SCHEMA)
    mixed: list[dict[str, Any]] = [{"p": 1}, {"p": 0.25}, {"p": "0.25"}, {"p": None}]
    assert mw.apply([lf], mixed, SCHEMA).codes[:, 0].tolist()[3] == -1


def test_a_mapping_of_numbers_fits_their_text(tmp_path: Path) -> None:
    lf = mw.from_column("kind", "code", mapping={1: "spam", 0: "ham"})
    assert mw.apply([lf], csv_file(tmp_path, "code,x\n1,a\n0,b\n-1,c\n,d\n"), SCHEMA).codes[:, 0].tolist() == [
        1,
        0,
        -1,
        -1,
    ]
