"""Words and phrases that could become labeling functions."""

import heapq
from typing import Any, Final

import numpy as np

from metalwork._checks import check_count, check_instance
from metalwork.inspection import Inspection
from metalwork.suggestions._candidates import (
    Candidate,
    after_vote,
    base_share,
    find_candidates,
    holding,
    judged,
)
from metalwork.suggestions._labels import TreeLabel, labels_of
from metalwork.suggestions._material import Material, material_of
from metalwork.suggestions._word_suggestion import WordSuggestion

_EXAMPLES: Final = 3
_SHOWN_LFS: Final = 3
_LEAST_SHARE: Final = 0.2
_NEARLY: Final = 0.9
_LEAST_PRECISION: Final = 0.2
_LEAST_GAIN: Final = 0.5


def suggest_words(
    inspection: Inspection,
    task: str | None = None,
    label: str | None = None,
    n: int = 10,
    field: str | None = None,
    encoder: Any = None,
) -> list[WordSuggestion]:
    """Words and phrases that would make labeling functions, the most useful first.

    Candidates are words and pairs of words that are more frequent with a label than without it: by dev labels
    and by the label model's posterior on records with votes (log odds with an informative Dirichlet prior,
    Monroe et al. 2008); and words of label names, those of several names for the label above all of these. They
    are ordered by how many training records are expected to get the right end label by them, each beside those
    before it.

    *What is estimated.* A word's precision is a mean of two: of the label's probability by the votes, on the
    training records with a vote that hold the word; and of its probability by the votes and the record's other
    words (naive Bayes, taught by votes and dev labels, at a temperature that is fitted), on all that hold it,
    each counting by how much that says. What the word itself taught is taken back, so that it does not speak for
    itself. Labeling functions that find the word are not left out: of records on which only others vote, that is
    far too dark a picture. So the estimate is as good as they are; but a word that only repeats them gains
    nothing, and is not suggested. It counts as much as 4 dev records, which join those that there are; the
    interval is that of the Beta distribution, and somewhat too narrow. ``benchmarks/word_precision.py`` compares
    it with gold labels.

    Parameters
    ----------
    inspection : Inspection
        ``run.inspection``. Up to 50,000 training records are looked at, evenly drawn; test never.
    task, label : str, optional
        Only for this task, or this label (a name, or a path as "Markets/Money").
    n : int
        At most so many.
    encoder : object, str, callable or True, optional
        A sentence encoder as for :func:`metalwork.zero_shot`, True for the default one (``metalwork[text]``):
        words that are near a label's name in meaning are candidates, too. It reads the 5,000 most frequent words
        once, which takes seconds.
    field : str, optional
        The text column; by default the one that most labeling functions read.

    Returns
    -------
    list of WordSuggestion
        Fewer than ``n`` where no more are expected to put a label right.

    Raises
    ------
    ConfigError
        When there is no text column, or labeling functions but no fitted label model.
    VotesError
        For a task or label that is not there.
    """
    check_instance("inspection", inspection, Inspection, "Pass run.inspection.")
    check_count("n", n)
    labels = labels_of(inspection.schema, task, label)
    material = material_of(inspection, field)
    taken = {lf.name for lf in material.lfs}
    return [_suggestion(material, candidate, taken) for candidate in _chosen(material, labels, n, encoder)]


def _chosen(material: Material, labels: list[TreeLabel], n: int, encoder: Any) -> list[Candidate]:
    """One after the other, the candidate of the greatest gain beside those before it."""
    posterior = material.posterior.copy()
    waiting = _finest(
        [judged(material, candidate, posterior) for candidate in find_candidates(material, labels, encoder)]
    )
    heap = [(-candidate.gain, number, -1) for number, candidate in enumerate(waiting)]
    heapq.heapify(heap)
    chosen: list[Candidate] = []
    seen: set[int] = set()
    while heap and len(chosen) < n:
        gain, number, judged_at = heapq.heappop(heap)
        if -gain < _LEAST_GAIN:
            break
        candidate = waiting[number]
        if any(one.word == candidate.word for one in chosen):  # a word votes for one label
            continue
        if judged_at < len(chosen):  # what was chosen since may have taken some of its gain
            if number not in seen:
                candidate = holding(material, candidate)
                seen.add(number)
            waiting[number] = judged(material, candidate, posterior)
            if waiting[number].precision >= _LEAST_PRECISION:
                heapq.heappush(heap, (-waiting[number].gain, number, len(chosen)))
            continue
        chosen.append(candidate)
        after_vote(
            posterior, candidate.rows, candidate.label, candidate.precision, base_share(material, candidate.label)
        )
    return chosen


def _finest(found: list[Candidate]) -> list[Candidate]:
    """Without those of a word that is nearly as precise for a label under theirs."""
    by_word: dict[int, list[Candidate]] = {}
    for one in found:
        by_word.setdefault(one.word, []).append(one)
    return [one for one in found if not any(_is_finer(other, one) for other in by_word[one.word])]


def _is_finer(one: Candidate, other: Candidate) -> bool:
    inside = other.label.start <= one.label.start and one.label.stop <= other.label.stop
    return inside and one.label != other.label and one.precision >= _NEARLY * other.precision


def _suggestion(material: Material, candidate: Candidate, taken: set[str]) -> WordSuggestion:
    label, rows = candidate.label, candidate.rows
    train, n_dev = rows[rows < material.n_drawn], int((rows >= material.n_drawn).sum())
    scale = material.n_train / material.n_drawn
    word = material.words.words[candidate.word]
    fired = material.fired[train]
    covered, shares = fired.any(axis=1), fired.mean(axis=0)
    names = () if material.votes is None else material.votes.names
    most = [j for j in np.argsort(-shares, kind="stable")[:_SHOWN_LFS].tolist() if shares[j] >= _LEAST_SHARE]
    spread = np.unique(np.linspace(0, len(rows) - 1, min(_EXAMPLES, len(rows))).astype(np.int64))
    return WordSuggestion(
        words=(word,),
        task=label.task,
        label=label.label,
        field=material.field,
        n_records=round(len(train) * scale),
        coverage=len(train) / material.n_drawn,
        n_uncovered=round(float((~covered).sum()) * scale),
        precision=candidate.precision,
        interval=(candidate.low, candidate.high),
        n_dev=n_dev,
        overlap=float(covered.mean()) if len(train) else 0.0,
        lfs=tuple((names[j], float(shares[j])) for j in most),
        gain=candidate.gain,
        source=candidate.source,
        examples=tuple(material.place(int(row)) for row in rows[spread]),
        name=_free_name(f"{label.label}: {word}", taken),
        whole_words=candidate.whole,
    )


def _free_name(name: str, taken: set[str]) -> str:
    """The name, with a number where another labeling function or suggestion has it."""
    found, number = name, 2
    while found in taken:
        found, number = f"{name} ({number})", number + 1
    taken.add(found)
    return found
