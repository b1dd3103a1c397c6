"""Snorkel's labeling functions as they are: the same votes as Snorkel's own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import metalwork as mw
from metalwork.errors import LabelingError
from tests.unit.sources import snorkels

SCHEMA = mw.TaskSchema.flat(["ham", "spam"], task="kind")
RECORDS = [
    {"text": "Check out my channel", "n": 3, "author": "a"},
    {"text": "nice song", "n": 0, "author": None},
    {"text": "subscribe NOW", "n": 12, "author": "b"},
]


Decorator = Callable[..., Callable[[Callable[..., Any]], Any]]


def heuristics(labeling_function: Decorator, preprocessor: Decorator) -> list[Any]:
    """LFs as Snorkel's tutorials have them: preprocessors, resources, numpy numbers, whole records."""

    @preprocessor(memoize=True)
    def lowered(x: Any) -> Any:
        x.lowered = x.text.lower()
        return x

    @labeling_function()
    def check_out(x: Any) -> int:
        return 1 if "check out" in x.text.lower() else -1

    @labeling_function(pre=[lowered], resources={"words": ["subscribe", "channel"]})
    def words_of(x: Any, words: list[str]) -> int:
        return 1 if any(word in x.lowered for word in words) else -1

    @labeling_function(name="few words")
    def few(x: Any) -> Any:
        return np.int64(0) if len(x["text"].split()) < 3 and x.n < 5 else np.int64(-1)

    @labeling_function()
    def unlowered(x: Any) -> int:
        return 0 if hasattr(x, "lowered") else -1

    return [check_out, words_of, few, unlowered]


EXPECTED = [[1, 1, -1, -1], [-1, -1, 0, -1], [-1, 1, -1, -1]]


@pytest.mark.parametrize("records", [RECORDS, pd.DataFrame(RECORDS)], ids=["dicts", "frame"])
def test_they_run_as_they_are(records: Any) -> None:
    lfs = mw.from_snorkel(heuristics(snorkels.labeling_function, snorkels.preprocessor), "kind")
    assert [lf.name for lf in lfs] == ["check_out", "words_of", "few words", "unlowered"]
    votes = mw.apply(lfs, records, SCHEMA)
    assert votes.codes.tolist() == EXPECTED
    spawned = mw.apply(lfs, records, SCHEMA, backend="processes", n_jobs=2, chunk_size=1)
    assert spawned.codes.tolist() == EXPECTED


def test_the_same_votes_as_snorkel() -> None:
    labeling = pytest.importorskip("snorkel.labeling")
    preprocess = pytest.importorskip("snorkel.preprocess")
    lfs = heuristics(labeling.labeling_function, preprocess.preprocessor)
    theirs = labeling.PandasLFApplier(lfs).apply(pd.DataFrame(RECORDS), progress_bar=False)
    assert theirs.tolist() == EXPECTED
    assert mw.apply(mw.from_snorkel(lfs, "kind"), RECORDS, SCHEMA).codes.tolist() == EXPECTED


def test_numbers_are_labels_by_their_place_or_as_is_said() -> None:
    lf = snorkels.LabelingFunction("n", lambda x: x.n)
    records = [{"n": 0}, {"n": 1}, {"n": -1}]
    codes = [
        mw.apply(mw.from_snorkel(lf, "kind", labels=labels), records, SCHEMA).codes[:, 0].tolist()
        for labels in (None, ["spam", "ham"], {1: "spam", 0: None}, {"0": "spam", "1": "spam"})
    ]
    assert codes == [[0, 1, -1], [1, 0, -1], [-1, 1, -1], [1, 1, -1]]


def test_columns_of_a_file_are_those_of_the_record(tmp_path: Path) -> None:
    path = tmp_path / "records.csv"
    path.write_text("text,n\nsubscribe,3\nsong,\n", encoding="utf-8")
    seen: list[Any] = []

    def look(x: Any) -> int:
        seen.append(vars(x))
        return 1 if x.n is not None and "n" in x and x.get("m", 0) == 0 else -1

    records = mw.data.open_records(path, types={"n": "int"})
    lfs = [mw.keywords("kind", "ham", ["song"]), *mw.from_snorkel(snorkels.LabelingFunction("look", look), "kind")]
    assert mw.apply(lfs, records, SCHEMA).codes.tolist() == [[-1, 1], [0, -1]]
    assert seen[:2] == [{"text": "subscribe", "n": 3}, {"text": "song", "n": None}]
    assert mw.from_snorkel(snorkels.LabelingFunction("look", look), "kind", fields="n")[0].fields == ("n",)


def test_what_one_does_to_a_record_no_other_sees() -> None:
    def change(x: Any) -> int:
        x.text = "gone"
        return -1

    lfs = [
        snorkels.LabelingFunction("change", change),
        snorkels.LabelingFunction("read", lambda x: int(x.text == "gone")),
    ]
    records = [{"text": "song"}]
    assert mw.apply(mw.from_snorkel(lfs, "kind"), records, SCHEMA).codes.tolist() == [[-1, 0]]
    assert records == [{"text": "song"}]


@pytest.mark.parametrize("returned", [2, 0.5, "spam", None])
def test_what_is_no_label_stops_the_run(returned: Any) -> None:
    lf = snorkels.LabelingFunction("odd", lambda x: returned)
    with pytest.raises(LabelingError) as caught:
        mw.apply(mw.from_snorkel(lf, "kind"), RECORDS, SCHEMA)
    assert str(caught.value) == (
        f"LF 'odd' failed at row 0: it must return a number of 0, 1, or -1; got {returned!r}. "
        "Pass labels={...} from its numbers to labels."
    )


def test_wrong_arguments() -> None:
    @mw.labeling_function(task="kind")
    def ours(text: str) -> None: ...

    for given in ([ours], "lf", [3], []):
        with pytest.raises(LabelingError, match=r"^lfs must be labeling functions of Snorkel's; got "):
            mw.from_snorkel(given, "kind")
    lf = mw.from_snorkel(snorkels.LabelingFunction("n", len), "kind", labels=["ham", "spma"])[0]
    with pytest.raises(
        LabelingError, match=r"^labels of LF 'n': 'spma' is no label of task 'kind'\. Did you mean"
    ):
        mw.apply([lf], RECORDS, SCHEMA)
    with pytest.raises(LabelingError, match=r"^LF 'n' must know the labels of its task"):
        lf("text")
