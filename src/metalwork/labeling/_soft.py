"""Labeling functions that read the probabilities of a classifier or language model from columns."""

from collections.abc import Mapping
from typing import Any

from metalwork._names import plain_name
from metalwork.errors import LabelingError
from metalwork.labeling._function import DeclaredLabels, LabelingFunction


class ProbabilityRule(DeclaredLabels):
    """Probabilities of labels in numeric columns; null and NaN say nothing of a label."""

    def __init__(self, labels: tuple[str, ...]) -> None:
        self.labels = labels

    def __call__(self, *values: Any) -> dict[str, Any] | None:
        given = {label: value for label, value in zip(self.labels, values, strict=True) if value is not None}
        return {label: value for label, value in given.items() if value == value} or None


def from_probabilities(task: str, columns: Mapping[str, str], name: str | None = None) -> LabelingFunction:
    """A labeling function that casts soft votes: a classifier's or language model's probabilities, from columns.

    Parameters
    ----------
    task : str
    columns : dict of str to str
        From columns to labels of the task. Their values are probabilities in [0, 1], or text that reads so;
        those of labels without a column, or where a column holds null or NaN, share what is missing to 1 evenly.
        A record for which all columns hold nothing abstains, and so does one whose probabilities are nearly
        uniform.
    name : str, optional
        ``"<task> probabilities"`` by default.

    Examples
    --------
    >>> import metalwork as mw
    >>> schema = mw.TaskSchema.flat(["ham", "spam"], task="kind")
    >>> filter = mw.from_probabilities("kind", {"p_spam": "spam"}, name="filter")
    >>> votes = mw.apply([filter], [{"p_spam": 0.9}, {"p_spam": 0.5}, {"p_spam": None}], schema)
    >>> votes.codes[1:, 0].tolist(), votes.vote_name(0, votes.codes[0, 0])
    ([-1, -1], 'spam 0.9')
    """
    lf_name = f"{task} probabilities" if name is None else name
    texts = isinstance(columns, Mapping) and all(
        isinstance(text, str) for pair in columns.items() for text in pair
    )
    if not texts or not columns or len(set(map(plain_name, columns.values()))) < len(columns):
        raise LabelingError(
            f"columns of LF {lf_name!r} must be a dict from columns to distinct labels; got {columns!r}. "
            "Write e.g. {'p_spam': 'spam', 'p_ham': 'ham'}."
        )
    return LabelingFunction(task, lf_name, tuple(columns), ProbabilityRule(tuple(columns.values())))
