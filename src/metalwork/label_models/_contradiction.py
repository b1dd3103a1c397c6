"""Do dev labels contradict the votes? One-sided tests against chance.

Votes alone cannot tell labels from their mirror image: eight LFs that are right in a fifth of cases agree with one
another just as eight that are right in four fifths. Dev labels can, so they are compared with the votes before a
model that has seen both makes peace between them.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr, bdtrc

from metalwork._checks import ABSTAIN, FloatArray
from metalwork.label_models._constants import FALSE_CONTRADICTIONS
from metalwork.votes import LabelMatrix

_NAMED = 6
Codes = npt.NDArray[np.int64]


def contradictions(dev: LabelMatrix, gold: Codes, posterior: FloatArray) -> tuple[str, ...]:
    """Sentences on what dev labels contradict, to warn of; none where all is well.

    ``gold`` (n_points, n_tasks) is what is known of each task, as ``schema.known_codes`` returns it;
    ``posterior`` (n_points, n_end_labels) is the fitted model's, of the dev records.
    """
    ends = dev.schema.end_of(gold)
    sure = np.flatnonzero(ends >= 0)
    found = (_worse_than_chance(dev, gold), _unrelated(dev.rows(sure), ends[sure], posterior[sure]))
    return tuple(sentence for sentence in found if sentence)


def _worse_than_chance(dev: LabelMatrix, states: Codes) -> str:
    """LFs right on fewer dev records than votes drawn at random would be; all LFs are looked at together."""
    counted = [_right_votes(dev, states, lf) for lf in range(dev.n_lfs)]
    judged = [(lf, *of_lf) for lf, of_lf in enumerate(counted) if of_lf is not None]
    named = []
    for lf, right, n_votes, chance in judged:
        if bdtr(right, n_votes, chance) < FALSE_CONTRADICTIONS / len(judged):
            named.append(f"{dev.names[lf]} ({right} of {n_votes} right, by chance {chance * n_votes:.0f})")
    if not named:
        return ""
    many = f"{len(named)} of {dev.n_lfs} LFs are" if len(named) > 1 else "An LF is"
    return (
        f"{many} worse than chance on the dev records: {listed(named)}. Look whether dev labels and dev votes "
        "belong to the same records; if they do, turn what these LFs say round, or leave them out."
    )


def _right_votes(dev: LabelMatrix, states: Codes, lf: int) -> tuple[int, int, float] | None:
    """Right votes of an LF, all its votes, both where its question arises, and the share right by chance.

    None without such votes, and for soft votes, which are neither right nor wrong.
    """
    t = dev.schema.task_index(dev.tasks[lf])
    known = states[:, t] != ABSTAIN
    state, codes, says = states[known, t], dev.codes[known, lf], dev.alphabets[lf].rows
    state = np.where(state < 0, says.shape[1] - 1, state)
    voted = codes != ABSTAIN
    held = says[codes[voted], state[voted]]
    asked = ~np.isnan(held)
    right = held[asked]
    if not right.size or ((right > 0) & (right < 1)).any():
        return None
    records = np.bincount(state, minlength=says.shape[1])
    by_outcome = np.nan_to_num(says) @ records / np.maximum(~np.isnan(says) @ records, 1)
    return int(right.sum()), int(right.size), float(by_outcome[codes[voted][asked]].mean())


def _unrelated(dev: LabelMatrix, gold: Codes, posterior: FloatArray) -> str:
    """Dev labels that agree with the model no more than by chance, though half of what it claims would show."""
    voted = (dev.codes != ABSTAIN).any(axis=1)
    n = int(voted.sum())
    if not n:
        return ""
    predicted = posterior[voted].argmax(axis=1)
    share = [np.bincount(labels, minlength=posterior.shape[1]) / n for labels in (predicted, gold[voted])]
    right, chance = int((predicted == gold[voted]).sum()), float(share[0] @ share[1])
    believed = float(posterior[voted].max(axis=1).mean())
    if bdtrc(right - 1, n, chance) < FALSE_CONTRADICTIONS:
        return ""  # surely better than chance
    if bdtr(right, n, (chance + max(believed, chance)) / 2) >= FALSE_CONTRADICTIONS:
        return ""
    return (
        f"Dev labels contradict the votes: of {n} dev records with a vote {right} have the label that the votes "
        f"give them, and by chance {chance * n:.0f} would. Look whether dev labels and dev votes belong to the "
        "same records, and whether the LFs say what they mean."
    )


def listed(names: Sequence[str]) -> str:
    """Names in a sentence, the first six of many."""
    if len(names) > _NAMED:
        return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
