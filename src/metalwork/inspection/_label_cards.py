"""What stands behind each end label."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from metalwork._checks import FloatArray, IntArray
from metalwork.inspection._facts import SplitFacts
from metalwork.inspection._lf_cards import LFCard
from metalwork.inspection._split import Rows
from metalwork.inspection._votes import VoteIndex


class Scores(NamedTuple):
    """Precision, recall and F1 in [0, 1], None where there is nothing to go by; ``n`` records have the label."""

    precision: float | None
    recall: float | None
    f1: float | None
    n: float


@dataclass(frozen=True)
class LabelCard:
    """One end label.

    Attributes
    ----------
    name : str
    task : str
        The task that it is a label of.
    lfs, lfs_above : tuple of str
        The LFs that vote for it; and for labels above it.
    coverage : float
        Share of training records on which an LF votes for it.
    n_predicted : int
        Training records of which the label model says so, where it has something to go by.
    share : float or None
        Its share of the training records, by the label model.
    estimated : Scores or None
        Of the label model on train, by its own probabilities; ``n`` is the expected number. None before ``fit``.
    dev, dev_end : Scores or None
        On dev records whose end label is known: of the label model, and of the end model once it has predicted.
    missing : tuple of str
        What it lacks.
    """

    name: str
    task: str
    lfs: tuple[str, ...]
    lfs_above: tuple[str, ...]
    coverage: float
    n_predicted: int
    share: float | None
    estimated: Scores | None
    dev: Scores | None
    dev_end: Scores | None
    missing: tuple[str, ...]


class _OnTrain(NamedTuple):
    """Sums by end label (n_end_labels,): of probabilities, of those of the records predicted so, and of these."""

    expected: FloatArray
    right: FloatArray
    predicted: FloatArray


def label_cards(train: SplitFacts, dev: SplitFacts | None, cards: Sequence[LFCard]) -> list[LabelCard]:
    """A card an end label, in the order of the schema; ``cards`` are those of all LFs."""
    schema, on_train = train.schema, None if train.data.labels is None else _on_train(train)
    counts = {} if dev is None else _on_dev(dev)
    precise = {card.name: card.precision.value for card in cards if card.precision is not None}
    found = []
    for end, name in enumerate(schema.end_labels):
        path = [t for t, code in enumerate(schema.task_codes[end]) if code >= 0]
        lfs, above = _voters(train.votes, schema.task_codes[end], path)
        covered = np.zeros(train.n_points, bool)
        for j, codes in lfs.items():
            covered[train.votes.rows[j][np.isin(train.votes.codes[j], codes)]] = True
        names = tuple(train.votes.like.names[j] for j in lfs)
        known = counts.get("known")
        card = LabelCard(
            name=name,
            task=schema.tasks[path[-1]],
            lfs=names,
            lfs_above=tuple(train.votes.like.names[j] for j in above),
            coverage=float(covered.mean()),
            n_predicted=0 if on_train is None else int(on_train.predicted[end]),
            share=None if on_train is None else float(on_train.expected[end] / train.n_points),
            estimated=None if on_train is None else _scores(*(part[end] for part in on_train)),
            dev=None if "labels" not in counts else _scores(*counts["labels"][:, end]),
            dev_end=None if "end" not in counts else _scores(*counts["end"][:, end]),
            missing=tuple(_missing(names, precise, None if known is None else known[0, end])),
        )
        found.append(card)
    return found


def _voters(votes: VoteIndex, state: IntArray, path: list[int]) -> tuple[dict[int, Rows], list[int]]:
    """The LFs that vote for an end label, with the codes that say so; and those that vote for a label above it."""
    own: dict[int, Rows] = {}
    above: list[int] = []
    for j, task in enumerate(votes.like.tasks):
        t = votes.like.schema.task_index(task)
        if t not in path or not len(votes.rows[j]):
            continue
        codes = _codes_for(votes, j, int(state[t]))
        if not np.isin(votes.codes[j], codes).any():
            continue
        if t == path[-1]:
            own[j] = codes
        else:
            above.append(j)
    return own, above


def _codes_for(votes: VoteIndex, lf: int, label: int) -> Rows:
    """The codes of an LF that hold a label of its task as likely as any."""
    alphabet = votes.like.alphabets[lf]
    if alphabet.plain:
        return np.array([label])
    rows = np.nan_to_num(alphabet.rows)
    return np.flatnonzero((rows[:, label] > 0) & (rows[:, label] >= rows.max(axis=1)))


def _on_train(facts: SplitFacts) -> _OnTrain:
    n_end = facts.schema.n_end_labels
    expected, right, predicted = np.zeros((3, n_end))
    for number, start in enumerate(facts.starts[:-1].tolist()):
        end = facts.model("labels")(number).end
        here = slice(start, start + len(end))
        codes, shares, covered = facts.labels.codes[here], facts.labels.shares[here], facts.covered[here]
        expected += end.sum(axis=0, dtype=np.float64)
        right += np.bincount(codes[covered], shares[covered], minlength=n_end)
        predicted += np.bincount(codes[covered], minlength=n_end)
    return _OnTrain(expected, right, predicted)


def _on_dev(facts: SplitFacts) -> dict[str, FloatArray]:
    """By model, on records whose end label is known: how many have each label, right ones, and predicted ones."""
    if facts.data.known is None:
        return {}
    truth, n_end = facts.schema.end_of(facts.data.known), facts.schema.n_end_labels
    known = truth >= 0
    n_known = np.bincount(truth[known], minlength=n_end)
    found = {"known": np.array([n_known], float)}
    for model in ("labels", "end"):
        if (facts.data.labels if model == "labels" else facts.data.end) is None:
            continue
        heard = known & facts.covered if model == "labels" else known
        codes = (facts.labels if model == "labels" else facts.end).codes
        right = np.bincount(truth[heard & (codes == truth)], minlength=n_end)
        found[model] = np.array([n_known, right, np.bincount(codes[heard], minlength=n_end)], float)
    return found


def _scores(n_label: float, n_right: float, n_predicted: float) -> Scores:
    precision = n_right / n_predicted if n_predicted else None
    recall = n_right / n_label if n_label else None
    f1 = 2 * n_right / (n_label + n_predicted) if n_label + n_predicted else None
    shares = [None if share is None else float(share) for share in (precision, recall, f1)]
    return Scores(shares[0], shares[1], shares[2], float(n_label))


def _missing(lfs: tuple[str, ...], precise: dict[str, float], n_known: float | None) -> list[str]:
    found = []
    if not lfs:
        found.append("no labeling function votes for it")
    elif (judged := [precise[name] for name in lfs if name in precise]) and max(judged) < 0.5:
        found.append("none of its labeling functions is right more often than not")
    if n_known == 0:
        found.append("no dev record is known to have it")
    return found
