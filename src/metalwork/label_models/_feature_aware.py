"""A label model that reads the records themselves, as their texts are."""

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from metalwork._checks import BoolArray, FloatArray, check_instance
from metalwork.errors import ConfigError
from metalwork.label_models._base import KnownLabels, LabelModel, unpack_label_model
from metalwork.label_models._features import Matrix
from metalwork.label_models._hierarchical import HierarchicalLabelModel
from metalwork.label_models._stored import LFS, packed
from metalwork.label_models._vote_counts import VoteCounts
from metalwork.schema import TaskSchema
from metalwork.votes import LabelMatrix

if TYPE_CHECKING:
    from metalwork.features import Featurizer  # imported on use: it brings polars

_BASE, _FEATURIZER = "base/", "featurizer/"
_OWN = (*LFS, "feature_model_")


class FeatureAwareLabelModel(LabelModel):
    r"""A label model beside a classifier of the records: words by default, or what any featurizer makes.

    .. math::
        p(y \mid \lambda, x) \propto p(y \mid \lambda) \left( \frac{q(y \mid x)}{q(y)} \right)^w

    The base model's posterior :math:`p(y \mid \lambda)` on records with votes teaches :math:`q`, naive Bayes in
    closed form, five-fold, so that no record is read by what it has taught. One temperature calibrates it.
    :math:`w` is measured without labels: groups of LFs are silenced, and it is the least weight within a standard
    error of the best at saying what they voted. Records without a vote have :math:`w = 1`. Assumes that
    votes and features are independent given the label, but for what :math:`w` takes back. Cost: linear in
    non-zero features times end labels; six posteriors of the base model.

    Every label model takes ``features`` as a matrix: ``HierarchicalLabelModel(schema).fit(votes, features=X)``.
    This one also takes the records, and stores what turns them into a matrix.

    Parameters
    ----------
    schema : TaskSchema
    base : LabelModel, optional
        What reads the votes; :class:`HierarchicalLabelModel` by default. A hard vote is certain: features then
        move nothing.
    featurizer : Featurizer, optional
        Turns ``features``, then records as it reads them, into a matrix. By default a matrix is taken as it is,
        and of texts :class:`metalwork.WordCounts` counts the words.

    Attributes
    ----------
    base_ : LabelModel
        The fitted base model, with what it learned of LFs.
    featurizer_ : Featurizer or None
        The fitted featurizer; None where ``features`` were a matrix, or left out.
    feature_model_ : dict of str to array
        The classifier; ``feature_model_["weight"]`` has :math:`w`. Empty where ``features`` were left out.

    Examples
    --------
    >>> import metalwork as mw
    >>> schema = mw.TaskSchema.flat(["ham", "spam"])
    >>> texts = ["win cash now", "cash prize now", "see you at lunch", "lunch at noon", "claim your prize now"] * 9
    >>> votes = mw.LabelMatrix([[1, 1, 1], [1, -1, 1], [0, 0, -1], [-1, 0, 0], [-1, -1, -1]] * 9, schema)
    >>> model = mw.FeatureAwareLabelModel(schema).fit(votes, features=texts)
    >>> schema.end_names(model.predict(votes.rows([4]), features=texts[4:5]))
    ['spam']
    """

    base_: LabelModel
    featurizer_: "Featurizer | None"

    def __init__(
        self, schema: TaskSchema, base: LabelModel | None = None, featurizer: "Featurizer | None" = None
    ) -> None:
        self.schema = schema
        self.base = base
        self.featurizer = featurizer

    def _know(self, votes: LabelMatrix | VoteCounts) -> None:
        super()._know(votes)
        self._check_arguments()
        self.featurizer_ = None
        self.base_ = HierarchicalLabelModel(self.schema) if self.base is None else copy.deepcopy(self.base)
        self.base_._know(votes)

    def _check_arguments(self) -> None:
        if self.featurizer is not None:
            from metalwork.features import Featurizer

            check_instance("featurizer", self.featurizer, Featurizer)
            if self.featurizer.has_module:
                raise ConfigError(
                    "featurizer must make features that mean something without a network; got "
                    f"{self.featurizer!r}. Use mw.WordCounts for the words of a text."
                )
        if self.base is None:
            return
        check_instance("base", self.base, LabelModel, "For example, mw.HierarchicalLabelModel(schema).")
        if isinstance(self.base, FeatureAwareLabelModel):
            raise ConfigError("base must be a label model that reads votes; got FeatureAwareLabelModel.")
        if self.base.schema != self.schema:
            raise ConfigError("base must have the schema of the model; it differs. Make it from the same schema.")

    def _fit(self, votes: LabelMatrix, class_prior: FloatArray | None, dev: KnownLabels | None) -> None:
        self.base_._fit(votes, class_prior, dev)

    def _fit_counted(self, counts: VoteCounts, class_prior: FloatArray | None, dev: KnownLabels | None) -> None:
        self.base_._fit_counted(counts, class_prior, dev)

    def _posterior(self, votes: LabelMatrix) -> FloatArray:
        return self.base_._posterior(votes)

    def _tied(self, votes: LabelMatrix, scores: FloatArray) -> BoolArray:
        return self.base_._tied(votes, scores)

    def _learn_inputs(self, votes: LabelMatrix | VoteCounts, features: Any) -> Matrix:
        self.featurizer_ = None
        if self.featurizer is not None or _are_records(features):
            from metalwork.features import WordCounts

            self.featurizer_ = WordCounts() if self.featurizer is None else copy.deepcopy(self.featurizer)
            features = self.featurizer_.fit_transform(features)
        return super()._learn_inputs(votes, features)

    def _inputs(self, votes: LabelMatrix, features: Any) -> Matrix | None:
        if features is not None and self.featurizer_ is not None:
            features = self.featurizer_.transform(features)
        return super()._inputs(votes, features)

    def _pack(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        header, arrays = packed({name: getattr(self, name) for name in _OWN})
        base, of_base = self.base_._pack()
        arrays |= {_BASE + name: array for name, array in of_base.items()}
        featurizer = None
        if self.featurizer_ is not None:
            featurizer, of_featurizer = self.featurizer_.pack()
            arrays |= {_FEATURIZER + name: array for name, array in of_featurizer.items()}
        start = {"model": type(self).__name__, "schema": self.schema.to_dict(), "parameters": {}}
        given = {"base": self.base is not None, "featurizer": self.featurizer is not None}
        return start | header | {"given": given, "base": base, "featurizer": featurizer}, arrays

    def _restore(self, header: Mapping[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> Self:
        of_base, of_featurizer = (
            {name.removeprefix(start): arrays.pop(name) for name in list(arrays) if name.startswith(start)}
            for start in (_BASE, _FEATURIZER)
        )
        self.base_ = unpack_label_model(header["base"], of_base)
        if header["given"]["base"]:
            self.base = copy.deepcopy(self.base_)
        from metalwork.features import Featurizer

        found = header["featurizer"]
        self.featurizer_ = None if found is None else Featurizer.unpack(found, of_featurizer)
        if header["given"]["featurizer"]:
            self.featurizer = copy.deepcopy(self.featurizer_)
        return super()._restore(header, arrays)


def _are_records(features: Any) -> bool:
    numbers = sp.issparse(features) or (isinstance(features, np.ndarray) and features.dtype.kind in "fiub")
    return not numbers and hasattr(features, "__iter__")
