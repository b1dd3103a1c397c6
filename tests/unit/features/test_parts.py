"""Featurizers that are fitted in parts: what they learn is what all records at once teach them."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Self

import numpy as np
import polars as pl
import pytest

from metalwork.errors import DataError
from metalwork.features import Combined, Featurizer, NumericColumns, WordCounts
from metalwork.features._frequencies import Frequencies

RNG = np.random.default_rng(0)
VOCABULARY = [f"{'xyz'[i % 3]}w{i // 3:02d}é" for i in range(90)]
TEXTS = [" ".join(RNG.choice(VOCABULARY, RNG.integers(0, 12))) for _ in range(100)]
CUTS = [[0, 100], [0, 1, 2, 100], [0, 50, 50, 100], list(range(101))]


def parts(rows: Any, cuts: list[int]) -> list[Any]:
    return [rows[start:stop] for start, stop in pairwise(cuts)]


@pytest.mark.parametrize("cuts", CUTS)
@pytest.mark.parametrize(
    "options", [{}, {"min_df": 1, "max_features": 20}, {"min_df": 3, "ngrams": (1, 2)}, {"tokenizer": "chars"}]
)
def test_words_in_parts(options: dict[str, Any], cuts: list[int]) -> None:
    whole = WordCounts(**options).fit(TEXTS)
    assert WordCounts(**options).fit_parts(parts(TEXTS, cuts)).vocabulary_ == whole.vocabulary_


@pytest.mark.parametrize("most", [1, 7, 10_000])
def test_words_beyond_memory_go_to_a_file(most: int) -> None:
    found = Frequencies(most)
    expected: dict[str, list[int]] = {}
    for text in TEXTS:
        counts = {word: text.split().count(word) for word in text.split()}
        found.add(1, counts, [1] * len(counts), counts.values())
        for word, count in counts.items():
            seen = expected.setdefault(word, [0, 0])
            seen[0], seen[1] = seen[0] + 1, seen[1] + count
    assert found.n_texts == 100
    assert list(found.merged()) == [(word, *expected[word]) for word in sorted(expected)]


def test_several_featurizers_see_each_part_once() -> None:
    frame = pl.DataFrame({"text": TEXTS, "n": range(100)})
    both = Combined([WordCounts(field="text"), NumericColumns(["n"])])
    whole = Combined([WordCounts(field="text"), NumericColumns(["n"])]).fit(frame)
    found = both.fit_parts(iter(parts(frame, [0, 30, 100])))
    assert found.get_feature_names_out().tolist() == whole.get_feature_names_out().tolist()
    with pytest.raises(DataError, match=r"^column 'n' must hold numbers; got 'many' at row 1\."):
        both.fit_parts([frame, pl.DataFrame({"text": ["a", "b"], "n": ["1", "many"]})])


class Longest(Featurizer):
    """A kind of one's own, which has no learner."""

    kind = "longest text"
    longest_: int

    @property
    def columns(self) -> tuple[str, ...]:
        return ()

    @property
    def n_features(self) -> int:
        return 1

    def fit(self, records: Any, y: Any = None) -> Self:
        self.longest_ = max(map(len, records["text"] if isinstance(records, pl.DataFrame) else records))
        return self

    def transform(self, records: Any) -> Any:
        return np.ones((len(records), 1))

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        return np.array(["longest"], dtype=object)

    def state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return {}, {}

    @classmethod
    def restored(cls, facts: Mapping[str, Any], arrays: Mapping[str, Any]) -> Self:
        return cls()


def test_a_kind_of_ones_own_sees_all_parts_at_once() -> None:
    assert Longest().fit_parts([["a", "bbb"], ["cc"]]).longest_ == 3
    assert Longest().fit_parts([pl.DataFrame({"text": ["a"]}), pl.DataFrame({"text": ["bb"]})]).longest_ == 2
    with pytest.raises(DataError, match=r"^parts must all be frames, or all lists of values; got both\.$"):
        Longest().fit_parts([["a"], pl.DataFrame({"text": ["a"]})])


def test_no_words_at_all_is_an_error() -> None:
    with pytest.raises(
        DataError, match=r"^texts must hold words of two or more letters; none of the 3 texts does\."
    ):
        WordCounts().fit_parts([["a", "b"], ["c"]])
    with pytest.raises(
        DataError, match=r"^texts must share words: none stands in at least min_df=2 of the 3 texts\."
    ):
        WordCounts().fit_parts([["aa", "bb"], ["cc"]])
