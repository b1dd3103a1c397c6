"""From the classes of a model, however it calls them, to the labels of a task."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from metalwork._checks import ABSTAIN, FloatArray
from metalwork._names import as_written, is_whole, plain_name, unknown_name
from metalwork.errors import LabelingError

Labels = Mapping[Any, Any] | Sequence[str]
"""From classes to labels, None for a class that says nothing; or the labels in the order of the classes."""


class Classes:
    """Which label each class of a model stands for.

    Parameters
    ----------
    source : str
        What errors call the model.
    task : str
    labels : sequence of str
        Those of the task.
    given : dict or sequence, optional
        What the user says of the classes; by default a class has the name of its label.
    """

    def __init__(self, source: str, task: str, labels: Sequence[str], given: Labels | None) -> None:
        self._source, self._task, self.labels = source, task, tuple(labels)
        self._own = {plain_name(label): code for code, label in enumerate(self.labels)}
        self.given = given
        if given is not None:
            codes = list(map(self._given_code, given.values() if isinstance(given, Mapping) else given))
        if isinstance(given, Mapping):
            self._of = {name: code for key, code in zip(given, codes, strict=True) for name in as_written(key)}

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_source": "the model"}  # where it travels to, errors name the LF

    def codes(self, known: Sequence[Any]) -> list[int]:
        """The label code of each class, -1 where it says nothing; ``LabelingError`` names unknown ones."""
        if self.given is not None and not isinstance(self.given, Mapping):
            if len(self.given) != len(known):
                raise LabelingError(
                    f"labels of {self._source} must name a label for each of its {len(known)} classes; got "
                    f"{len(self.given)}. Its classes are {_listed(known)}."
                )
            return list(map(self._given_code, self.given))
        found = [self.find(value) for value in known]
        if None in found:
            unknown = [value for value, code in zip(known, found, strict=True) if code is None]
            raise self.unknown(unknown)
        return [code for code in found if code is not None]

    def find(self, value: Any) -> int | None:
        """The label code of one class, -1 where it says nothing; None where it is unknown."""
        table = self._of if isinstance(self.given, Mapping) else self._own
        return next((table[name] for name in as_written(value) if name in table), None)

    def unknown(self, values: Iterable[Any]) -> LabelingError:
        """What to raise of classes that stand for no label."""
        known = _listed(self.labels)
        missing = (
            "the keys of labels" if isinstance(self.given, Mapping) else f"labels of task {self._task!r}: {known}"
        )
        return LabelingError(
            f"classes of {self._source} must be {missing}; got {_listed(values)}. "
            "Pass labels={...} from its classes to labels, None for a class that says nothing."
        )

    def shares(self, probabilities: FloatArray, codes: Sequence[int]) -> FloatArray:
        """Probabilities of labels (n_points, n_labels) from those of classes (n_points, n_classes).

        Classes of one label add up; what a class that says nothing has is shared out evenly.
        """
        place = np.asarray(codes, dtype=np.int64)
        into = np.zeros((len(place), len(self.labels)))
        into[place >= 0, place[place >= 0]] = 1
        into[place < 0] = 1 / len(self.labels)
        return np.asarray(probabilities @ into)

    def _given_code(self, label: Any) -> int:
        if label is None or (is_whole(label) and label == ABSTAIN):
            return ABSTAIN
        for name in as_written(label):
            if name in self._own:
                return self._own[name]
        raise LabelingError(
            f"labels of {self._source}: " + unknown_name(f"label of task {self._task!r}", label, self.labels)
        )


def _listed(values: Iterable[Any]) -> str:
    shown = [repr(value.item() if isinstance(value, np.generic) else value) for value in values]
    return ", ".join(shown[:12]) + (f" and {len(shown) - 12} more" if len(shown) > 12 else "")
