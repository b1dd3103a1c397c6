"""Records to label next."""

import numpy as np
import polars as pl
import pytest

import metalwork as mw
from metalwork.suggestions import suggest_to_label
from tests.unit.suggestions.mail import GOOD, SCHEMA, mailbox, run_of, without_lfs

pytestmark = pytest.mark.filterwarnings("ignore::metalwork.errors.MetalworkWarning")
N_DRAWN = 200


@pytest.fixture(scope="module")
def run() -> mw.Run:
    return run_of([lf for lf in GOOD if lf.name in ("invoice", "refund", "flight", "hotel")])


def test_records_in_doubt_are_drawn_more_often(run: mw.Run) -> None:
    rows = np.array([one.row for one in suggest_to_label(run.inspection, n=N_DRAWN)])
    covered = run.coverage("train").covered
    assert np.mean(~covered[rows]) > 1.2 * np.mean(~covered)
    wrong = run.labels["train"].predict() != SCHEMA.end_codes(mailbox()["label"].head(1900).to_list())
    assert np.mean(wrong[rows]) > 1.5 * np.mean(wrong)
    assert len(set(rows.tolist())) == N_DRAWN


def test_sure_records_are_drawn_too(run: mw.Run) -> None:
    rows = [one.row for one in suggest_to_label(run.inspection, n=N_DRAWN)]
    surest = np.sort(run.labels["train"].end.max(axis=1))[N_DRAWN:]  # none of the least certain
    assert np.mean(run.labels["train"].end[rows].max(axis=1) > surest[0]) > 0.02


def test_rare_labels_are_drawn_more_often() -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {"text": [f"{'rare' if i % 10 == 0 else 'usual'} x{rng.integers(9)}" for i in range(1000)]}
    )
    known = frame.head(40).with_columns(
        pl.Series("label", ["Hotel" if i % 10 == 0 else "Invoice" for i in range(40)])
    )
    found = suggest_to_label(without_lfs(SCHEMA, frame, known), n=100)
    assert np.mean([one.row % 10 == 0 for one in found]) > 0.2


def test_each_says_why_and_is_of_train(run: mw.Run) -> None:
    found = suggest_to_label(run.inspection, n=50)
    assert {one.split for one in found} == {"train"}
    covered = run.coverage("train").covered
    for one in found:
        assert one.reason.startswith("No labeling function votes on it") == (not covered[one.row])
        assert one.score > 0
    assert len({one.reason for one in found}) > 20


def test_what_is_drawn_depends_on_the_seed_alone(run: mw.Run) -> None:
    first, again, other = (suggest_to_label(run.inspection, random_state=seed) for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_texts_with_a_dev_label_are_left_out() -> None:
    records = mailbox().head(30)
    found = suggest_to_label(without_lfs(SCHEMA, records, records.head(20)), n=30)
    labeled = set(records["text"].head(20).to_list())
    assert sorted(one.row for one in found) == [i for i, t in enumerate(records["text"]) if t not in labeled]


def test_all_are_alike_where_nothing_is_known() -> None:
    records = pl.DataFrame({"text": [f"word{i} and word" for i in range(50)]})
    found = suggest_to_label(without_lfs(SCHEMA, records), n=5)
    assert [one.score for one in found] == pytest.approx([1.0] * 5)
    assert {one.reason for one in found} == {"Nothing is known of any record yet."}
