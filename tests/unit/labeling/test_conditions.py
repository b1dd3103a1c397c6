"""Thresholds, equality, composites, and what labeling functions say of their votes."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import metalwork as mw
from metalwork.labeling import Match
from metalwork.pipeline._rules import make_rules
from metalwork.pipeline._settings import RuleSettings

SCHEMA = mw.TaskSchema.flat(["No", "Yes"], task="t")
OIL = mw.keywords("t", "Yes", ["oil"], name="oil")
LARGE = mw.threshold("t", "Yes", "amount", "large", above=10)
RECORDS = pl.DataFrame({"text": ["oil", "oil", "gas", None, "no oil"], "amount": [20.0, None, 30.0, 40.0, 5.0]})


def votes(lf: mw.LabelingFunction, records: Any = RECORDS) -> list[int]:
    """The codes of the LF, which calls on one record give as well."""
    frame = pl.DataFrame(records)
    codes: list[int] = mw.apply([lf], frame, SCHEMA).codes[:, 0].tolist()
    alone = [lf(*row) for row in frame.select(lf.fields).rows()]
    assert codes == [-1 if label is None else ["No", "Yes"].index(label) for label in alone]
    return codes


@pytest.mark.parametrize(
    ("bounds", "found"),
    [
        ({"above": 2}, [-1, -1, 1, -1, -1]),
        ({"at_least": 2}, [-1, 1, 1, -1, -1]),
        ({"below": 2}, [1, -1, -1, -1, -1]),
        ({"at_most": 2}, [1, 1, -1, -1, -1]),
        ({"above": 1, "at_most": 2}, [-1, 1, -1, -1, -1]),
    ],
)
def test_a_threshold_votes_within_its_bounds(bounds: dict[str, Any], found: list[int]) -> None:
    lf = mw.threshold("t", "Yes", "x", **bounds)
    assert votes(lf, {"x": [1, 2, 3, None, None]}) == found
    assert votes(lf, {"x": ["1", " 2.0", "3e0", "", None]}) == found
    assert votes(lf, {"x": [1.0, 2.0, 3.0, float("nan"), None]}) == found


def test_text_that_is_no_number_is_a_failure() -> None:
    found = mw.apply([LARGE], [{"amount": "11"}, {"amount": "many"}], SCHEMA, max_error_rate=1)
    assert found.codes[:, 0].tolist() == [1, -1]
    assert found.failed.tolist() == [[1, 0]]
    with pytest.raises(TypeError, match="column 'amount' must hold a number; got 'many'"):
        LARGE("many")


@pytest.mark.parametrize(
    ("values", "column", "found"),
    [
        ("CA", ["CA", " CA ", "ca", None, ""], [1, 1, -1, -1, -1]),
        (["a", "b"], ["b", "c", "a"], [1, -1, 1]),
        (1, ["1", "1.0", "01", "-1"], [1, 1, -1, -1]),
        (1, [1.0, 2.0, float("nan")], [1, -1, -1]),
        ({"cafe\u0301"}, ["café"], [1]),
        (True, [True, False, None], [1, -1, -1]),
        (True, ["true", "True", "1"], [1, 1, -1]),
        ("x", [{"a": 1}, {"a": 2}], [-1, -1]),
    ],
)
def test_equality_is_of_how_values_are_written(values: Any, column: list[Any], found: list[int]) -> None:
    assert votes(mw.equals("t", "Yes", values, "x"), {"x": column}) == found


def test_composites_are_and_or_not_of_their_parts() -> None:
    assert votes(OIL & LARGE) == [1, -1, -1, -1, -1]
    assert votes(OIL | LARGE) == [1, 1, 1, 1, 1]
    assert votes(OIL & ~LARGE) == [-1, -1, -1, -1, 1]
    assert votes((~OIL).voting("No")) == [-1, -1, 0, -1, -1]  # a missing text holds no "no oil" either
    assert votes((~(OIL & LARGE)).voting("No")) == [-1, -1, 0, -1, 0]
    assert votes((OIL & LARGE).voting("No", name="n")) == [0, -1, -1, -1, -1]
    assert votes(~~OIL.voting("No") & OIL.voting("No")) == [0, 0, -1, -1, 0]
    assert (OIL & ~(LARGE | OIL)).name == "oil & ~(large | oil)"
    assert (OIL & LARGE).fields == ("text", "amount")


def test_a_part_that_cannot_be_read_fails_the_composite() -> None:
    records = [{"text": "oil", "amount": "x"}, {"text": "gas", "amount": "1"}]
    found = mw.apply([OIL | LARGE], records, SCHEMA, max_error_rate=1)
    assert found.failed.tolist() == [[0, 0]]


def test_what_cannot_be_combined_is_refused() -> None:
    with pytest.raises(mw.MetalworkError) as caught:
        _ = OIL & mw.keywords("t", "No", ["gas"], name="gas")
    assert str(caught.value) == (
        "parts of LF 'oil & gas' must vote for one label; got 'No' of 't' and 'Yes' of 't'. "
        "Say what a part stands for: part.voting('label', task='...')."
    )
    python = mw.from_callable(lambda text: None, "t", name="python")
    with pytest.raises(
        mw.MetalworkError, match="must be keywords, regex, threshold, equals or composites of these"
    ):
        _ = OIL & python
    with pytest.raises(TypeError):
        _ = OIL & "gas"  # type: ignore[operator]
    with pytest.raises(mw.MetalworkError, match=r"LF '~oil' must have a label to vote; got none. Write lf.voting"):
        mw.apply([~OIL], RECORDS, SCHEMA)
    wrong_bounds: tuple[dict[str, Any], ...] = (
        {},
        {"above": 1, "at_least": 1},
        {"above": 2, "below": 1},
        {"above": 1, "at_most": 1},
    )
    for bounds in wrong_bounds:
        with pytest.raises(mw.MetalworkError, match="bounds of LF 'x' must be one lower"):
            mw.threshold("t", "Yes", "x", "x", **bounds)
    with pytest.raises(mw.MetalworkError, match="above of LF 'x' must be a finite number; got 'a'"):
        mw.threshold("t", "Yes", "x", "x", above="a")  # type: ignore[arg-type]
    with pytest.raises(mw.MetalworkError, match="values of LF 'x' must be a text, a number, or a list of them"):
        mw.equals("t", "Yes", [], "x", "x")


def test_an_explanation_says_what_was_found_and_what_negates_it() -> None:
    lf = mw.keywords("t", "Yes", ["pleural effusion", "stra\u00dfe*"], name="e", negated_by=True)
    said = lf.explain("No Pleural  effusion, but a \u200bSTRASSENBAHN.")
    assert said.vote == "Yes"
    assert said.matches == (
        Match("Pleural  effusion", 3, 20, "No", "text"),
        Match("STRASSENBAHN", 29, 41, None, "text"),
    )
    assert str(said) == "e: votes 'Yes' ('Pleural  effusion' at 3, negated by 'No'; 'STRASSENBAHN' at 29)"
    assert str(lf.explain(None)) == "e: abstains"
    assert str(lf.explain("gas")) == "e: abstains (nothing found)"
    assert mw.regex("t", "Yes", r"(?<!x)a+", negated_by=True).explain("no aa").matches == (
        Match("aa", 3, 5, "no", "text"),
    )
    many = mw.keywords("t", "Yes", [f"word{i}" for i in range(1000)], name="many")
    assert [match.text for match in many.explain("a word7 and a word999").matches] == ["word7", "word999"]


def test_an_explanation_of_a_composite_names_its_parts() -> None:
    said = (OIL & ~LARGE).voting("No", name="small").explain(text="oil", amount=5)
    assert said.vote == "No"
    assert str(said) == (
        "small: votes 'No'\n  oil: holds ('oil' at 0)\n  ~large: holds\n"
        "    large: does not hold (amount is 5, asked for > 10)"
    ).replace("\\\n", "\n")


def test_an_explanation_of_a_python_function_is_its_vote_or_its_error() -> None:
    @mw.labeling_function("t")
    def lf(text):  # type: ignore[no-untyped-def]
        return text.upper()

    assert lf.explain("yes").vote == "YES"
    assert lf.explain(1).said == "failed: AttributeError: 'int' object has no attribute 'upper'"
    batch = mw.from_callable(lambda texts: ["Yes" for _ in texts], "t", ["text"], "b", batch=True)
    assert batch.explain("a").vote == "Yes"


def test_rules_of_a_project_file_name_each_other() -> None:
    written: list[dict[str, Any]] = [
        {"name": "both", "task": "t", "all": ["oil", "large"], "not": ["west"]},
        {"name": "oil", "task": "t", "label": "Yes", "keywords": ["oil"], "votes": False},
        {"name": "large", "task": "t", "label": "No", "threshold": "amount", "above": 10, "votes": False},
        {"name": "west", "task": "t", "label": "Yes", "equals": ["CA", "OR"], "field": "state"},
        {"name": "some", "task": "t", "label": "No", "any": ["both", "west"]},
    ]
    written[0]["label"] = "Yes"
    lfs = make_rules([RuleSettings.model_validate(rule) for rule in written], Path())
    assert [lf.name for lf in lfs] == ["both", "west", "some"]
    records = {"text": ["oil", "oil", "gas"], "amount": [11, 11, 1], "state": ["NY", "CA", "CA"]}
    found = mw.apply(lfs, pl.DataFrame(records), SCHEMA).codes
    assert np.array_equal(found, [[1, -1, 0], [-1, 1, 0], [-1, 1, 0]])
    with pytest.raises(mw.MetalworkError, match=r"rules must be made of other rules of this file.*got gone"):
        make_rules([RuleSettings.model_validate({"task": "t", "any": ["gone"]})], Path())
    refused: tuple[dict[str, Any], ...] = (
        {"all": ["a"], "any": ["b"]},
        {"keywords": ["a"], "label": "Yes", "above": 1},
        {"all": []},
    )
    for wrong in refused:
        with pytest.raises(ValueError):
            RuleSettings.model_validate({"task": "t", **wrong})
