"""What featurizers of a text column have in common."""

from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt

from metalwork.features._featurizer import Featurizer, Learner
from metalwork.features._records import text_column
from metalwork.features._tokens import check_field


class TextFeaturizer(Featurizer):
    """A featurizer that reads one text a record."""

    field: str | None

    @property
    def reads(self) -> Literal["text", "image", "tabular"]:
        """Texts."""
        return "text"

    @property
    def columns(self) -> tuple[str, ...]:
        """The text column; empty where none is named."""
        return () if self.field is None else (self.field,)

    def fit(self, records: Any, y: Any = None) -> Self:
        """Learn from the texts of ``records`` (n_points,).

        Raises
        ------
        ConfigError
            When an argument is out of range.
        DataError
            When a text of a list is missing. A record without a text has an empty one.
        """
        return self.fit_parts([records])

    def learner(self) -> Learner:
        """Checks the arguments, and the texts of each part."""
        self._check()
        return _CheckTexts(self)

    def _check(self) -> None:
        """Raise ``ConfigError`` for an argument that is out of range."""
        check_field(self.field)

    def _texts(self, records: Any) -> list[str]:
        return text_column(records, self.field, type(self).__name__)


class TextVectors(TextFeaturizer):
    """A featurizer of texts whose features are numbers of a vector, which mean nothing one by one."""

    sparse: ClassVar[bool | None] = False
    has_named_features = False
    _number: ClassVar[str]
    """What the name of a feature begins with."""

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """``"embedding 0"`` and so on, by the kind of vector: object array of str (n_features,)."""
        return np.array([f"{self._number} {i}" for i in range(self.n_features)], dtype=object)


class _CheckTexts:
    """Texts have nothing to teach."""

    def __init__(self, featurizer: TextFeaturizer) -> None:
        self._featurizer = featurizer

    def add(self, records: Any) -> None:
        self._featurizer._texts(records)

    def finish(self) -> None:
        pass
