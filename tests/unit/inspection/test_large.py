"""Splits that are not held in memory: only the rows that are shown are read."""

from pathlib import Path

import pytest

import metalwork as mw
from metalwork.pipeline import LargeSplit, _split
from tests.unit.inspection.pets import ids
from tests.unit.pipeline.projects import PROJECT, write_project

pytestmark = pytest.mark.filterwarnings("ignore::metalwork.errors.MetalworkWarning")  # few LFs, few records


def test_large_splits_give_the_same_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = write_project(tmp_path, project=PROJECT.rstrip() + "\n    output: {shard_rows: 5}\n")
    asked = [{"lf": "furry", "limit": 3}, {"search": "number[35]"}, {"uncertain": True}, {"known": "Owl"}, {}]
    held = mw.Run.open(project).fit()
    expected = [held.records(**one) for one in asked]  # type: ignore[arg-type]
    monkeypatch.setattr(_split, "MOST_HELD", 0)
    monkeypatch.setattr(_split, "READ_ROWS", 7)
    large = mw.Run.open(project).fit()
    assert isinstance(large.split("train"), LargeSplit)
    found = [large.records(**one) for one in asked]  # type: ignore[arg-type]
    assert [(page.total, ids(page)) for page in found] == [(page.total, ids(page)) for page in expected]
    assert found[0].records == expected[0].records
    assert large.inspection.record("train", 23) == held.inspection.record("train", 23)
