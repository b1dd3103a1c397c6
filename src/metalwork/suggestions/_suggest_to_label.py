"""Which records to label next."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from metalwork._checks import FloatArray, check_count, check_instance
from metalwork.inspection import Inspection
from metalwork.suggestions._material import Floats32, Material, material_of

_FLOOR: Final = 1e-9
_RARE: Final = 0.5
"""Share of what a label would have if all were as frequent, below which it is called rare."""
_SURE: Final = 0.8


@dataclass(frozen=True)
class LabelSuggestion:
    """A record whose label would teach much.

    Attributes
    ----------
    split : str
    row : int
    reason : str
        A sentence that says why.
    score : float
        How much likelier it is drawn than a record on average: above 1, more.
    """

    split: str
    row: int
    reason: str
    score: float


def suggest_to_label(inspection: Inspection, n: int = 10, random_state: int = 0) -> list[LabelSuggestion]:
    r"""Training records to label for dev, drawn so that they teach more than as many at random.

    Each is drawn with a probability proportional to

    .. math:: (1 - \max_y q_i(y)) / \sqrt{n_{\hat y_i}}

    where :math:`q_i` is what the votes and the words of record i say of its label, together, :math:`\hat y_i`
    its most probable label and :math:`n` the number of records with that label: the chance that the label is
    wrong, with rare labels raised. Records without a vote and those on which votes and words disagree are
    unsure, and so likelier.

    They are drawn and not simply the least certain ones, because label models take dev labels for a sample of the
    records: of the least certain ones alone they learn precisions and balances that are far off.
    ``benchmarks/label_next.py`` measures both. Accuracy on records so drawn is lower than on all.

    Parameters
    ----------
    inspection : Inspection
        ``run.inspection``. Up to 50,000 training records are looked at. Those whose text has a dev label already
        are left out.
    n : int
        At most so many.
    random_state : int
        Another draws others.

    Raises
    ------
    ConfigError
        When there are labeling functions but no fitted label model, or no column of texts.
    """
    check_instance("inspection", inspection, Inspection, "Pass run.inspection.")
    check_count("n", n)
    rng = np.random.default_rng(check_count("random_state", random_state, least=0))
    material = material_of(inspection)
    read = material.read[: material.n_drawn]
    weight = _weights(material, read)
    open_ones = np.flatnonzero(weight > 0)
    keys = np.log(weight[open_ones]) + rng.gumbel(size=len(open_ones))  # draws without replacement
    chosen = open_ones[np.argsort(-keys, kind="stable")[:n]]
    usual = weight[open_ones].mean() if len(open_ones) else 1.0
    return [
        LabelSuggestion(*material.place(row), _reason(material, read, row), float(weight[row] / usual))
        for row in chosen.tolist()
    ]


def _weights(material: Material, read: Floats32) -> FloatArray:
    label, n_labels = read.argmax(axis=1), read.shape[1]
    count = np.bincount(label, minlength=n_labels)
    weight: FloatArray = (1.0 - read.max(axis=1) + _FLOOR) / np.sqrt(count[label])
    labeled = set(material.texts[material.n_drawn :])
    weight[[text in labeled for text in material.texts[: material.n_drawn]]] = 0.0
    return weight


def _reason(material: Material, read: Floats32, row: int) -> str:
    """Why a record is worth a label, by what makes it so."""
    names = material.schema.end_labels
    second, first = (names[code] for code in np.argsort(read[row], kind="stable")[-2:])
    shares = np.sort(read[row])[-2:]
    by_votes = names[int(material.posterior[row].argmax())]
    share = float(read[:, int(read[row].argmax())].mean())
    if not (material.covered.any() or material.is_dev.any()):
        return "Nothing is known of any record yet."
    if material.covered[row] and by_votes != first:
        return f"The votes say {by_votes!r}, its words {first!r}."
    unsure = f"{first!r} ({shares[1]:.0%}) or {second!r} ({shares[0]:.0%})"
    if not material.covered[row]:
        return f"No labeling function votes on it; by its words it is {unsure}."
    if shares[1] >= _SURE or share < _RARE / len(names):
        return f"It may be {first!r} ({shares[1]:.0%}), which {share:.1%} of the records are."
    return f"It is {unsure}."
