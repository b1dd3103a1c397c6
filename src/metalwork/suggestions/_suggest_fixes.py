"""What to fix next on a run, the worst first."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

import numpy as np
import scipy.sparse as sp

from metalwork._checks import check_count, check_instance
from metalwork.inspection import Inspection
from metalwork.suggestions._fix import Fix
from metalwork.suggestions._harmful_words import harmful_words
from metalwork.suggestions._judge import Belief, Judge
from metalwork.suggestions._labels import TreeLabel, labels_of
from metalwork.suggestions._material import Material, material_of

_LEAST_VOTES: Final = 5
_RELIABLE: Final = 0.5
_OFF_BRANCH: Final = 0.4
_LEAST_CONFLICT: Final = 0.2
"""Share of the rarer function's votes on which two conflict, from which they are named."""
_LEAST_COPIED: Final = 0.5
_BALANCE_RECORDS: Final = 100.0
"""Dev records that the label model's share of a label is worth."""


def suggest_fixes(inspection: Inspection, n: int = 20) -> list[Fix]:
    """What to fix next: labeling functions, words of them and labels, those that do most harm first.

    *How a labeling function is judged*: by the other votes on its records, by the words that it does not look for
    (naive Bayes taught by all votes, see :func:`suggest_words`), and by dev labels. Votes and words count for up
    to 8 dev records. Where one function alone knows, the others see little, so their estimates are moved together
    to where their mean is that of the accuracies that the label model learned: they are named by comparison.

    Parameters
    ----------
    inspection : Inspection
        ``run.inspection``, once the label model is fitted. Up to 50,000 training records are looked at.
    n : int
        At most so many.

    Returns
    -------
    list of Fix
        Empty where nothing stands out.

    Raises
    ------
    ConfigError
        When there are labeling functions but no fitted label model, or no column of texts.
    """
    check_instance("inspection", inspection, Inspection, "Pass run.inspection.")
    check_count("n", n)
    material = material_of(inspection)
    if material.votes is None:
        return _worst(_missing(material, {}, frozenset()), n)
    judge = Judge(material)
    precision = {j: judge.precision(j) for j in judge.label_of if len(judge.rows(j)) >= _LEAST_VOTES}
    words = list(harmful_words(judge))
    by_words = {name for fix in words for name in fix.lfs}
    wrong = [fix for fix in _wrong(judge, precision) if by_words.isdisjoint(fix.lfs)]
    blamed = by_words.union(*(fix.lfs for fix in wrong))
    found = chain(
        words,
        wrong,
        _copies(material, precision),
        (fix for fix in _conflicts(judge, precision) if blamed.isdisjoint(fix.lfs)),
        _missing(material, {judge.label_of[j]: p for j, p in _best(judge, precision)}, _voted(judge)),
    )
    return _worst(found, n)


def _worst(found: Iterable[Fix], n: int) -> list[Fix]:
    """The ``n`` worst."""
    return sorted(found, key=lambda fix: -fix.severity)[:n]


def _best(judge: Judge, precision: dict[int, Belief]) -> list[tuple[int, float]]:
    """Labeling functions with their precision, ascending, so that the best of a label comes last."""
    return sorted(((j, belief.mean) for j, belief in precision.items()), key=lambda pair: pair[1])


def _scale(material: Material) -> float:
    return material.n_train / material.n_drawn


def _wrong(judge: Judge, precision: dict[int, Belief]) -> Iterator[Fix]:
    """Labeling functions that are wrong more often than right; those that mostly vote off their branch say so."""
    names = _names(judge.material)
    for j, belief in precision.items():
        label, n_votes = judge.label_of[j], round(len(judge.rows(j)) * _scale(judge.material))
        off = judge.off_branch(j)
        if off is not None and off.mean > max(_OFF_BRANCH, (1.0 - belief.mean) / 2.0):
            above = judge.material.schema.parent(label.task)
            assert above is not None
            yield Fix(
                "off branch",
                f"{names[j]!r} votes on {label.task}, which applies under {above[1]!r}, but about "
                f"{off.mean:.0%} of its {n_votes:,} votes fall elsewhere{off.on_dev}. "
                f"Narrow it, or join it with one for {above[1]!r}.",
                off.mean * n_votes,
                (names[j],),
                label.task,
                label.label,
                query={"lf": names[j]},
            )
        elif belief.mean < _RELIABLE:
            base = judge.material.balance[label.start : label.stop].sum()
            worse = ", worse than chance" if belief.high < base else ""
            yield Fix(
                "wrong",
                f"{names[j]!r} votes for {label.label!r} on {n_votes:,} records and is right on about "
                f"{belief.mean:.0%}{worse}{belief.on_dev}. Narrow it, or drop it.",
                (1.0 - belief.mean) * n_votes,
                (names[j],),
                label.task,
                label.label,
                query={"lf": names[j]},
            )


def _names(material: Material) -> tuple[str, ...]:
    return () if material.votes is None else material.votes.names


def _copies(material: Material, precision: dict[int, Belief]) -> Iterator[Fix]:
    """Pairs of which one copies the other, as the label model found them."""
    position = {name: j for j, name in enumerate(_names(material))}
    for first, second, strength in getattr(material.model, "repeated_", []):
        i, j = position[first], position[second]
        together = material.fired[: material.n_drawn, i] & material.fired[: material.n_drawn, j]
        n_both = round(float(together.sum()) * _scale(material))
        if strength < _LEAST_COPIED or not n_both:
            continue
        wrong = [1.0 - precision[lf].mean for lf in (i, j) if lf in precision]
        yield Fix(
            "copy",
            f"{first!r} and {second!r} say the same on {n_both:,} records ({strength:.0%} of their votes repeat "
            "each other), so they count as one. Merge them, or make one look for something else.",
            strength * n_both * float(np.mean(wrong)) / 2.0 if wrong else 0.0,
            (first, second),
            query={"lf": [first, second]},
        )


def _conflicts(judge: Judge, precision: dict[int, Belief]) -> Iterator[Fix]:
    """Pairs for labels of which no end label has both, and that meet often."""
    lfs, material = list(precision), judge.material
    fired = sp.csc_matrix(material.fired[: material.n_drawn, lfs].astype(np.float32))
    together = sp.triu(fired.T @ fired, 1).tocoo()
    names = _names(material)
    for a, b, count in zip(together.row.tolist(), together.col.tolist(), together.data.tolist(), strict=True):
        i, j = lfs[a], lfs[b]
        one, other = judge.label_of[i], judge.label_of[j]
        apart = one.stop <= other.start or other.stop <= one.start
        fewer = min(len(judge.rows(i)), len(judge.rows(j)))
        if not apart or count < max(_LEAST_VOTES, _LEAST_CONFLICT * fewer):
            continue
        both = material.fired[:, i] & material.fired[:, j]
        shares = [float(label.of(material.truth[both]).mean()) for label in (one, other)]
        right = f"{one.label!r} seems right on {shares[0]:.0%} of them, {other.label!r} on {shares[1]:.0%}"
        n_both = round(count * _scale(material))
        yield Fix(
            "conflict",
            f"{names[i]!r} says {one.label!r} and {names[j]!r} says {other.label!r} on the same {n_both:,} "
            f"records; {right}. Make one give way to the other.",
            n_both * (1.0 - max(shares)),
            (names[i], names[j]),
            query={"conflict": (names[i], names[j])},
        )


def _voted(judge: Judge) -> frozenset[TreeLabel]:
    """Labels with a vote, be it one."""
    return frozenset(label for j, label in judge.label_of.items() if len(judge.rows(j)))


def _missing(material: Material, best: dict[TreeLabel, float], voted: frozenset[TreeLabel]) -> Iterator[Fix]:
    """Labels that no reliable function votes for, themselves or by a label under them; the highest of a branch."""
    labels = labels_of(material.schema)
    reliable = [label for label, precision in best.items() if precision >= _RELIABLE]
    told: list[TreeLabel] = []
    dev = material.truth[material.n_drawn :]
    for label in labels:
        if any(label.start <= own.start and own.stop <= label.stop for own in reliable):
            continue
        if any(above.start <= label.start and label.stop <= above.stop for above in told):
            continue
        told.append(label)
        on_dev = float(label.of(dev).sum())
        share = (float(material.balance[label.start : label.stop].sum()) * _BALANCE_RECORDS + on_dev) / (
            _BALANCE_RECORDS + len(dev)
        )
        there = "No labeling function votes" if label not in voted else "No reliable labeling function votes"
        if label in voted and label not in best:
            there = f"No labeling function casts {_LEAST_VOTES} votes"
        known = f"; on dev {on_dev:.0f} of {len(dev)} records have it" if len(dev) else ""
        yield Fix(
            "missing",
            f"{there} for {label.label!r} ({label.task}){known}. Write one: suggest_words(label={label.label!r}) "
            "has words.",
            share * material.n_train,
            task=label.task,
            label=label.label,
            query={"known": label.label} if on_dev else {"label": label.label},
        )
