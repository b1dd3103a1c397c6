"""Shard by shard: the same votes as all at once, wherever an earlier application ended."""

import json
import warnings
from typing import Any

import numpy as np
import pytest

import metalwork as mw
from metalwork._checks import FAILED
from metalwork.errors import LabelingError, MetalworkWarning
from metalwork.labeling import VoteTotal, apply_shards, in_alphabets_of, warn_of_lost

SCHEMA = mw.TaskSchema.flat(["a", "b", "c"], task="kind")
RECORDS = [{"i": i, "text": f"{i}"} for i in range(40)]
SHARD: dict[str, Any] = {"chunk_size": 7, "max_error_rate": 1.0}


def functions() -> list[mw.LabelingFunction]:
    @mw.labeling_function(task="kind")
    def sets(i: int) -> Any:
        return [None, "a", {"b", "c"}, mw.Not("b"), {"a", "b"}][i % 5] if i > 10 else "b"

    @mw.labeling_function(task="kind")
    def soft(i: int) -> Any:
        return {"a": 0.7, "b": 0.2, "c": 0.1} if i % 9 == 8 else None

    @mw.labeling_function(task="kind")
    def fails(i: int) -> Any:
        return "c" if i % 4 else [][i]

    return [sets, soft, fails]


def _same(one: mw.LabelMatrix, other: mw.LabelMatrix) -> bool:
    known = (one.names, one.tasks, one.alphabets, one.incidents) == (
        other.names,
        other.tasks,
        other.alphabets,
        other.incidents,
    )
    return known and np.array_equal(one.stored_codes, other.stored_codes)


@pytest.mark.parametrize("ends", range(7))
def test_what_was_packed_goes_on_to_the_same_votes(ends: int) -> None:
    total, codes = VoteTotal(functions(), SCHEMA), []
    for shard in apply_shards(total, RECORDS, **SHARD):
        codes.append(shard)
        if total.n_shards == ends:
            total = VoteTotal(functions(), SCHEMA, json.loads(json.dumps(total.pack())))
            break
    codes += apply_shards(total, RECORDS, **SHARD)
    assert total.n_shards == 6
    votes = total.matrix(np.concatenate(codes))
    assert _same(votes, mw.apply(functions(), RECORDS, SCHEMA, max_error_rate=1.0))
    assert (votes.stored_codes == FAILED).any()
    parts = [total.matrix(part) for part in codes]
    assert _same(mw.LabelMatrix.concatenate(parts), votes)


def test_a_resumed_application_complains_of_all_failures() -> None:
    def first(total: VoteTotal, n_shards: int) -> VoteTotal:
        for _ in apply_shards(total, RECORDS, chunk_size=7):
            if total.n_shards == n_shards:
                break
        return total

    def message(total: VoteTotal) -> str:
        with pytest.raises(LabelingError) as caught:
            list(apply_shards(total, RECORDS, chunk_size=7))
        return str(caught.value)

    whole = message(VoteTotal(functions(), SCHEMA))
    assert whole.startswith("LF 'fails' failed on 10 of 40 records")
    for ends in range(1, 6):
        facts = first(VoteTotal(functions(), SCHEMA), ends).pack()
        assert message(VoteTotal(functions(), SCHEMA, facts)) == whole


def test_votes_of_other_records_take_the_alphabets_of_the_first() -> None:
    train, dev = RECORDS[:13], RECORDS[13:]
    one, other = VoteTotal(functions(), SCHEMA), VoteTotal(functions(), SCHEMA)
    votes = one.matrix(np.concatenate(list(apply_shards(one, train, **SHARD))))
    codes = list(apply_shards(other, dev, **SHARD, like=one))
    with pytest.warns(MetalworkWarning, match="Votes of a kind that like does not hold") as caught:
        expected = mw.apply(functions(), dev, SCHEMA, max_error_rate=1.0, like=votes)
    with pytest.warns(MetalworkWarning) as again:
        warn_of_lost(other, one)
    assert str(again[0].message) == str(caught[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parts = [in_alphabets_of(other, part, one) for part in codes]
    found = mw.LabelMatrix.concatenate(parts)
    assert np.array_equal(found.stored_codes, expected.stored_codes)
    assert found.alphabets == expected.alphabets == votes.alphabets


def test_text_traps_are_seen_wherever_an_application_was_taken_up() -> None:
    def numbered(text):  # type: ignore[no-untyped-def]
        return "a" if text == 7 else None

    lfs = [mw.from_callable(numbered, "kind")]
    total = VoteTotal(lfs, SCHEMA)
    next(apply_shards(total, RECORDS, chunk_size=7))
    with pytest.warns(MetalworkWarning, match="compares column 'text' with numbers"):
        list(apply_shards(VoteTotal(lfs, SCHEMA, total.pack()), RECORDS, chunk_size=7))
