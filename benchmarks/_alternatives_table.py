"""Tables of what hand labels give beside what labeling functions give, and where the two meet."""

from collections.abc import Iterator
from typing import Any

import numpy as np

OURS = "metalwork: end model, both"
WITH_LABELS = f"{OURS}, and hand labels"
ALTERNATIVES = (
    "logistic regression, TF-IDF",
    "logistic regression, embeddings",
    "logistic regression, both",
    "contrastive projection of embeddings",
    "label spreading, embeddings",
    "SetFit, encoder fine-tuned",
)
NAMES = "names alone"
COUNTS = ("0", "50", "100", "300", "1000", "all")
T_95 = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78}  # Student's t of so many values
NOT_THERE = -1.0  # below any score
Found = dict[str, Any]


def tables(found: dict[str, Found]) -> Iterator[str]:
    """Lines of Markdown: where each set breaks even, then all figures."""
    yield from _summary(found)
    for name, one in found.items():
        yield from _whole(name, one)


def _summary(found: dict[str, Found]) -> Iterator[str]:
    heads = "best alternative, 50 labels", "LFs alone", "hand labels that equal it"
    yield f"| | {' | '.join(heads)} | LFs and 50 labels | hand labels that equal it |"
    yield "|---" * 6 + "|"
    for name, one in found.items():
        best, at = max((_mean(one, arm, "50"), arm) for arm in ALTERNATIVES)
        best, at = max((best, at), (_mean(one, NAMES, "0"), NAMES))
        ours = _mean(one, OURS, "0"), _mean(one, WITH_LABELS, "50")
        if min(ours) > NOT_THERE:
            cells = [f"{best:.1f} ({at})", *(f"{value:.1f} | {break_even(one, value)}" for value in ours)]
            yield f"| {name} | {' | '.join(cells)} |"


def break_even(one: Found, target: float) -> str:
    """How many hand labels the best alternative needs for ``target``, along the logarithm of their number.

    At each number the alternative that is best on test counts, which flatters them.
    """
    if _mean(one, NAMES, "0") >= target:
        return "0"
    curve = []
    for count in COUNTS[1:]:
        scores = [value for arm in ALTERNATIVES if (value := _mean(one, arm, count)) > NOT_THERE]
        if scores:
            curve.append((one["facts"]["known"] if count == "all" else int(count), max(scores)))
    below = None
    for count, score in curve:
        if score >= target:
            if below is None:
                return f"<= {count}"
            fewer, low = below
            needed = fewer * (count / fewer) ** ((target - low) / (score - low))
            return f"{float(f'{needed:.2g}'):,.0f}"
        below = count, score
    return f"> {curve[-1][0]:,}"


def _whole(name: str, one: Found) -> Iterator[str]:
    facts = one["facts"]
    yield f"\n### {name}\n"
    yield (
        f"{facts['labels']} end labels, {facts['lfs']} LFs, {facts['records']:,} records, {facts['known']:,} "
        f"of them with gold, {facts['test']:,} test records; {facts['metric']}.\n"
    )
    counts = [count for count in COUNTS if any(count in own for own in one["scores"].values())]
    yield f"| hand labels | {' | '.join(counts)} |"
    yield "|---" * (len(counts) + 1) + "|"
    for arm, own in one["scores"].items():
        yield f"| {arm} | {' | '.join(_cell(list(own.get(count, {}).values())) for count in counts)} |"


def _cell(values: list[float]) -> str:
    if not values:
        return ""
    mean = f"{np.mean(values):.1f}"
    n = len(values)
    return mean if n == 1 else f"{mean} ± {T_95[n] * np.std(values, ddof=1) / np.sqrt(n):.1f}"


def _mean(one: Found, arm: str, count: str) -> float:
    """The mean over draws; ``NOT_THERE`` where there are none."""
    by_count = one["scores"].get(arm, {})
    return float(np.mean(list(by_count[count].values()))) if count in by_count else NOT_THERE
