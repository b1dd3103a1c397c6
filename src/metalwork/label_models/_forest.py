"""One label model a tree, for records with several labels."""

import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from metalwork._arrays import load_arrays, reading, save_arrays
from metalwork._checks import check_instance
from metalwork._estimators import Estimator
from metalwork.errors import VotesError
from metalwork.label_models._base import Dev, LabelModel, load_label_model
from metalwork.label_models._hierarchical import HierarchicalLabelModel
from metalwork.schema import TaskSchema
from metalwork.votes import ForestProbabilities, LabelMatrix, TaskForest

_FORMAT = "metalwork forest label model 1"

Votes = Mapping[str, LabelMatrix]


class ForestLabelModel(Estimator):
    """A label model for independent task trees: one model a root, fitted each on the votes of its own tree.

    Votes are label matrices by root, as :func:`metalwork.apply` gives them for a :class:`TaskForest`. Assumes that
    the trees' labels are independent; the cost is that of the models together.

    Parameters
    ----------
    forest : TaskForest
    make : callable
        Makes the label model of a tree from its schema: a class, or e.g.
        ``lambda schema: mw.HierarchicalLabelModel(schema, precision=0.9)``.

    Attributes
    ----------
    models_ : dict of str to LabelModel
        The fitted models by root.

    Examples
    --------
    >>> import numpy as np
    >>> import metalwork as mw
    >>> trees = [mw.TaskSchema.flat(["no", "yes"], task=tag) for tag in ("sports", "politics")]
    >>> forest = mw.TaskForest(trees)
    >>> codes = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1], [0, 1, -1]])
    >>> votes = forest.votes(codes, tasks=["sports", "sports", "politics"])
    >>> model = mw.ForestLabelModel(forest, mw.MajorityVote).fit(votes)
    >>> model.predict(votes)["sports"][:3]
    array([1, 1, 0])
    """

    _called_before = "it is used. Call fit(votes) first."
    models_: dict[str, LabelModel]

    def __init__(
        self, forest: TaskForest, make: Callable[[TaskSchema], LabelModel] = HierarchicalLabelModel
    ) -> None:
        self.forest = forest
        self.make = make

    def fit(
        self,
        votes: Votes,
        class_prior: Mapping[str, Any] | None = None,
        dev: Mapping[str, Dev] | None = None,
    ) -> Self:
        """Fit a model a root; no labels are needed.

        Parameters
        ----------
        votes : dict of str to LabelMatrix (n_points, n_lfs of the tree)
        class_prior : dict of str to float array (n_end_labels,), optional
            Known probabilities of the end labels, for some roots or all.
        dev : dict of str to (LabelMatrix, end labels), optional
            Records whose end labels are known, for some roots or all.

        Raises
        ------
        VotesError
            For a root without votes or LFs, or one that is not in the forest.
        """
        check_instance("forest", self.forest, TaskForest)
        self._check("votes", votes, complete=True)
        for what, given in (("class_prior", class_prior), ("dev", dev)):
            self._check(what, given or {}, complete=False)
        silent = [root for root in self.forest.roots if votes[root].n_lfs == 0]
        if silent:
            raise VotesError(
                f"Every root must have LFs; got none for {', '.join(map(repr, silent))}. "
                "Write some, or leave the tree out of the forest."
            )
        priors, known = class_prior or {}, dev or {}
        self.models_ = {
            root: self.make(schema).fit(votes[root], class_prior=priors.get(root), dev=known.get(root))
            for root, schema in self.forest.schemas.items()
        }
        return self

    def predict_proba(self, votes: Votes) -> ForestProbabilities:
        """Probabilities of every tree's end labels, and of every task's labels."""
        self._check_fitted()
        self._check("votes", votes, complete=True)
        return ForestProbabilities(
            {root: model.predict_proba(votes[root]) for root, model in self.models_.items()}
        )

    def predict(self, votes: Votes, undecided: str = "label") -> dict[str, npt.NDArray[np.int64]]:
        """Most probable end-label codes (n_points,) by root, each tree's by its model's ``predict``."""
        self._check_fitted()
        self._check("votes", votes, complete=True)
        return {root: model.predict(votes[root], undecided) for root, model in self.models_.items()}

    def score(self, votes: Votes, y: Mapping[str, Any]) -> dict[str, float]:
        """Accuracy in [0, 1] by root, on end labels ``y`` (names or codes) of some roots or all."""
        self._check_fitted()
        self._check("votes", votes, complete=True)
        self._check("y", y, complete=False)
        return {root: self.models_[root].score(votes[root], y[root]) for root in self.forest.roots if root in y}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted models to one ``.npz`` file, whole or not at all; :meth:`load` reads it."""
        self._check_fitted()
        files = {}
        with tempfile.TemporaryDirectory() as folder:
            for i, model in enumerate(self.models_.values()):
                part = Path(folder) / f"{i}.npz"
                model.save(part)
                files[str(i)] = np.frombuffer(part.read_bytes(), dtype=np.uint8)
        save_arrays(path, _FORMAT, {"n_models": len(files)}, files)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what :meth:`save` wrote; ``make`` is the class of the first tree's model.

        Nothing in the file is executed.

        Raises
        ------
        DataError
            When the file is missing, damaged or no forest's label model.
        """
        header, stored = load_arrays(path, _FORMAT)
        with reading(path, _FORMAT), tempfile.TemporaryDirectory() as folder:
            models = []
            if header["n_models"] != len(stored):
                raise VotesError(f"it has {len(stored)} models")
            for i in range(len(stored)):
                part = Path(folder) / f"{i}.npz"
                part.write_bytes(stored[str(i)].tobytes())
                models.append(load_label_model(part))
            model = cls(TaskForest(one.schema for one in models), type(models[0]))
            model.models_ = {one.schema.root: one for one in models}
            return model

    def _check(self, what: str, given: Any, complete: bool) -> None:
        roots = ", ".join(self.forest.roots)
        if not isinstance(given, Mapping):
            raise VotesError(
                f"{what} must be a dict by root task ({roots}); got {type(given).__name__}. "
                "Label matrices by root come from mw.apply with the forest, or from forest.votes."
            )
        unknown = [root for root in given if root not in self.forest.roots]
        missing = [root for root in self.forest.roots if complete and root not in given]
        if unknown or missing:
            wrong = f"{unknown[0]!r}, which is none" if unknown else f"nothing for {missing[0]!r}"
            raise VotesError(f"{what} must be by root task ({roots}); got {wrong}.")
