"""Tables on the terminal."""

import numpy as np
from rich.console import Console

import metalwork as mw
from metalwork.cli._show import brief, show_labels, show_lfs, show_scores, show_space
from metalwork.pipeline import LabelShares

SCHEMA = mw.TaskSchema.from_dict(
    {"task": "kind", "labels": [{"bill": {"task": "bill", "labels": ["refund", "late"]}}, "praise"]}
)


def test_precision_counts_votes_off_the_branch_and_names_their_share() -> None:
    votes = mw.LabelMatrix([[0]] * 9, SCHEMA, ["bill"], ["money back"])
    console = Console(width=110, highlight=False)
    with console.capture() as capture:
        show_lfs(console, mw.lf_summary(votes), {"dev": mw.lf_summary(votes, ["refund"] * 3 + ["praise"] * 6)})
    table = [line.split("  ") for line in capture.get().splitlines() if line.startswith(("name", "money"))]
    heading, row = ([cell.strip() for cell in line if cell.strip()] for line in table[-2:])
    assert heading == ["name", "votes for", "coverage", "conflict", "dev precision (95 %)", "off-branch"]
    assert row == ["money back", "refund", "100.0%", "0.0%", "33.3% of 9 (12% to 65%)", "66.7%"]


def test_a_wide_tree_takes_a_line_a_task_and_its_shares_are_cut() -> None:
    names = [f"intent {i:02d}" for i in range(50)]
    wide = mw.TaskSchema.flat(names, task="intent")
    leads = np.arange(50, dtype=np.int64)
    shares = LabelShares(int(leads.sum()), 0, 0, leads / leads.sum(), leads)
    console = Console(width=110, highlight=False)
    with console.capture() as capture:
        show_space(console, wide)
        show_labels(console, shares, wide)
    lines = capture.get().splitlines()
    assert lines[1].startswith("intent: intent 00, intent 01, ")
    shown = [line[:9] for line in lines if line.startswith("intent ") and line.endswith(" records")]
    assert shown == [*names[:-11:-1], *names[9::-1]]
    assert "30 end labels between the most and the least frequent are left out." in lines


def test_a_long_pattern_is_cut_in_tables() -> None:
    votes = mw.LabelMatrix([[0]], SCHEMA, ["bill"], ["refund: " + "money back|" * 20])
    console = Console(width=110, highlight=False)
    with console.capture() as capture:
        show_lfs(console, mw.lf_summary(votes), {})
    assert brief("refund: " + "money back|" * 20) == "refund: money back|money back|money back|mone..."
    assert "refund: money back|money back|money back|mone...  refund" in capture.get()
    assert brief("money back") == "money back"


def test_scores_on_coarse_labels_say_what_is_right() -> None:
    console = Console(width=110, highlight=False)
    exact, coarse = (mw.evaluate(["late", "praise"], ["late", known], SCHEMA) for known in ("praise", "bill"))
    for metrics in (exact, coarse):
        with console.capture() as capture:
            show_scores(console, {"End model": {"test": metrics}})
        said = "Records known down to an inner label only are right" in capture.get()
        assert said == (metrics is coarse)
