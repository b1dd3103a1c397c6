"""Words of a list that do more harm than the others."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import polars as pl

from metalwork._checks import BoolArray
from metalwork.labeling import word_list
from metalwork.suggestions._fix import Fix
from metalwork.suggestions._judge import Judge, believed
from metalwork.text import any_phrase_pattern, compared_phrases, fold_case, normalise

_LEAST_ALONE: Final = 5
_WORSE_BY: Final = 0.25
_MOST_ROWS: Final = 2_000


def harmful_words(judge: Judge) -> Iterator[Fix]:
    """Of word lists, the words that are right far less often than the others of the list.

    A word is judged on records where it stands alone, without the others of its list.
    """
    material = judge.material
    by_name = {lf.name: lf for lf in material.lfs}
    asked = {}
    for j in judge.label_of:
        name = material.votes.names[j] if material.votes is not None else ""
        words = word_list(by_name[name]) if name in by_name else None
        if words is not None and len(words.words) > 1 and by_name[name].fields == (material.field,):
            asked[j] = words
    for j, words in asked.items():
        rows = np.flatnonzero(material.fired[:, j])
        rows = rows[:: max(1, len(rows) // _MOST_ROWS)]
        texts = normalise(pl.Series([material.texts[row] for row in rows], dtype=pl.String))
        texts = fold_case(texts) if words.ignore_case else texts
        phrases = compared_phrases(words.words, words.ignore_case)
        stands = np.stack([_stands(texts, phrase, words.whole_words) for phrase in phrases], axis=1)
        yield from _worse(judge, j, words.words, rows, stands)


def _stands(texts: pl.Series, phrase: str, whole: bool) -> BoolArray:
    found: BoolArray = texts.str.contains(any_phrase_pattern([phrase], whole)).fill_null(False).to_numpy()
    return found


def _worse(judge: Judge, lf: int, words: tuple[str, ...], rows: np.ndarray, stands: BoolArray) -> Iterator[Fix]:
    material, label = judge.material, judge.label_of[lf]
    alone = stands & (stands.sum(axis=1) == 1)[:, None]
    counted = [number for number in range(len(words)) if alone[:, number].sum() >= _LEAST_ALONE]
    if not counted or material.votes is None:
        return
    train = rows < material.n_drawn
    end = judge.left_out({lf: rows[train]})[0]
    own, usual = label.of(end), judge.precision(lf)
    name = material.votes.names[lf]
    shift = usual.mean / max(float(own.mean()), 1e-9)
    for number in counted:
        one = alone[:, number]
        right = label.of(material.truth[rows[one & ~train]])
        others = label.of(material.truth[rows[~one & ~train]])
        belief = believed(min(1.0, shift * _mean(own[one[train]])), int(one[train].sum()), right)
        rest = believed(min(1.0, shift * _mean(own[~one[train]])), int((~one[train]).sum()), others)
        if (~one).sum() < _LEAST_ALONE or belief.mean > rest.mean - _WORSE_BY or belief.mean > 0.5:
            continue
        n_records = round(
            float(one[train].sum())
            / max(train.sum(), 1)
            * len(judge.rows(lf))
            * material.n_train
            / material.n_drawn
        )
        yield Fix(
            "word",
            f"In {name!r}, the word {words[number]!r} is right on about {belief.mean:.0%} of the {n_records:,} "
            f"records where it stands alone{belief.on_dev}, the others on {rest.mean:.0%}. Take it out.",
            n_records * (1.0 - belief.mean),
            (name,),
            label.task,
            label.label,
            words[number],
            {"lf": name, "search": rf"\b{words[number]}\b"},
        )


def _mean(shares: np.ndarray) -> float:
    return float(shares.mean()) if len(shares) else 0.0
