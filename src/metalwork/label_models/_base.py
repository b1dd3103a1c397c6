"""What every label model can do, and the checks they share."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from metalwork import _html
from metalwork._arrays import load_arrays, reading, save_arrays
from metalwork._checks import (
    ABSTAIN,
    BoolArray,
    FloatArray,
    check_choice,
    check_count,
    check_instance,
    check_pair,
)
from metalwork._estimators import Estimator, as_classes
from metalwork.errors import VotesError
from metalwork.label_models._constants import TIE
from metalwork.label_models._stored import Fitted, check_stored
from metalwork.label_models._vote_counts import VoteCounts
from metalwork.probabilities import TaskProbabilities, first_of_best
from metalwork.schema import TaskSchema
from metalwork.votes import Alphabet, LabelMatrix

Dev = tuple[LabelMatrix, Any]
KnownLabels = tuple[LabelMatrix, npt.NDArray[np.int64]]
UNDECIDED = ("label", "abstain")
_FORMAT = "metalwork label model 1"
_HOW_TO_VOTE = "Use mw.apply, or mw.LabelMatrix(codes, schema, tasks=...) for codes of your own."


class VoteEffect(NamedTuple):
    """One vote on a record, and by how much it moved the log odds of an end label."""

    lf: str
    task: str
    label: str
    effect: float


class LabelModel(Estimator, ABC):
    """Turns a label matrix into probabilities of the end labels.

    The constructor stores its arguments untouched; :meth:`fit` sets attributes that end in an underscore and
    returns the model. ``fit`` and the ``predict`` methods accept any label matrix of the same schema; after
    ``fit``, of the same LFs. A class names its fitted attributes in ``_fitted``, so that a stored model can be
    checked as it is read.
    """

    _estimator_type = "classifier"
    _called_before = "it predicts. Call fit(votes) first."
    _fitted: ClassVar[Fitted] = {}
    schema: TaskSchema
    lf_names_: tuple[str, ...]
    lf_tasks_: tuple[str, ...]
    lf_outcomes_: dict[str, FloatArray]

    def fit(self, votes: LabelMatrix | VoteCounts, class_prior: Any = None, dev: Dev | None = None) -> Self:
        """Learn from the votes; no labels are needed.

        Parameters
        ----------
        votes : LabelMatrix (n_points, n_lfs), or VoteCounts
            At least one row. Of counts the model learns what it learns of the votes that they count.
        class_prior : float array (n_end_labels,) or dict of end label to float, optional
            Known probabilities of the end labels, in their order or by name.
        dev : (LabelMatrix, labels), optional
            A few records whose labels are known, as ``schema.known_codes`` takes them. One known down to an inner
            label only counts for the tasks above that; those of which nothing is known are left out.
        """
        self._check_votes(votes, (LabelMatrix, VoteCounts))
        if votes.n_points == 0:
            raise VotesError("votes must hold at least one record; got none.")
        self._know(votes)
        given = self._check_prior(class_prior), self._check_dev(dev)
        if isinstance(votes, VoteCounts):
            self._fit_counted(votes, *given)
        else:
            self._fit(votes, *given)
        return self

    @abstractmethod
    def _fit(
        self,
        votes: LabelMatrix,
        class_prior: FloatArray | None,
        dev: tuple[LabelMatrix, npt.NDArray[np.int64]] | None,
    ) -> None:
        """Set the fitted attributes; the arguments have been checked."""

    def _check_arguments(self) -> None:
        """Check the constructor's arguments; the LFs are known."""

    @abstractmethod
    def _fit_counted(self, counts: VoteCounts, class_prior: FloatArray | None, dev: KnownLabels | None) -> None:
        """The same from counts."""

    @abstractmethod
    def _posterior(self, votes: LabelMatrix) -> FloatArray:
        """float array (n_points, n_end_labels): rows sum to 1; the arguments have been checked."""

    def _repr_html_(self) -> str:
        if not self.__sklearn_is_fitted__():
            return _html.lines(repr(self))
        names = {"accuracies_": "learned accuracy", "off_branch_rates_": "votes off its branch"}
        learned = {text: getattr(self, name) for name, text in names.items() if hasattr(self, name)}
        figures = zip(*(np.asarray(values).tolist() for values in learned.values()), strict=True)
        lfs = list(zip(self.lf_names_, self.lf_tasks_, strict=True))
        rows = [(*lf, *own) for lf, own in zip(lfs, figures if learned else [()] * len(lfs), strict=True)]
        prior = getattr(self, "class_prior_", None)
        shares = [] if prior is None else zip(self.schema.end_labels, np.asarray(prior).tolist(), strict=True)
        tables = [_html.table(["LF", "task", *learned], rows, n_text=2)]
        tables += [_html.table(["end label", "class prior"], list(shares))] if prior is not None else []
        return _html.block(repr(self), *tables)

    def predict_proba(self, votes: LabelMatrix) -> TaskProbabilities:
        """Probabilities of the end labels, and of every task's labels."""
        self._check_fitted()
        self._check_votes(votes)
        self._check_lfs(votes, "votes", "the LFs the model was fitted on")
        return TaskProbabilities(self._posterior(votes), self.schema)

    def predict(self, votes: LabelMatrix, undecided: str = "label") -> npt.NDArray[np.int64]:
        """Most probable end-label codes (n_points,).

        Parameters
        ----------
        votes : LabelMatrix
        undecided : "label" or "abstain"
            What a record gets on which no LF votes, or where two or more end labels share the highest probability
            (to within a millionth of it: more than rounding and optimisers leave of a tie, less than any vote
            makes): the first of them all the same, or ``ABSTAIN`` (-1).
        """
        check_choice("undecided", undecided, UNDECIDED)
        scores = self._scores(votes, self.predict_proba(votes).end)
        predicted = first_of_best(scores)
        if undecided == "abstain":
            open_ones = self._tied(votes, scores) | (votes.codes == ABSTAIN).all(axis=1)
            predicted[open_ones] = ABSTAIN
        return predicted

    def _scores(self, votes: LabelMatrix, posterior: FloatArray) -> FloatArray:
        """What ``predict`` compares (n_points, n_end_labels); may use up the posterior."""
        return posterior

    def _tied(self, votes: LabelMatrix, scores: FloatArray) -> BoolArray:
        """On which records two or more end labels share the highest score: bool array (n_points,)."""
        ties: BoolArray = (scores >= scores.max(axis=1, keepdims=True) * (1.0 - TIE)).sum(axis=1) > 1
        return ties

    def score(self, votes: LabelMatrix, y: Any) -> float:
        """Accuracy on end labels ``y`` (names or codes), in [0, 1]; no record is left undecided.

        Records not known down to an end label are left out.
        """
        gold = self.schema.end_of(self.schema.known_codes(y))
        if len(gold) != votes.n_points:
            raise VotesError(f"y must hold one end label a record ({votes.n_points}); got {len(gold)}.")
        if not (known := gold >= 0).any():
            raise VotesError("y must hold at least one known end label; got none.")
        return float(np.mean(self.predict(votes)[known] == gold[known]))

    def explain(self, votes: LabelMatrix, row: int, end_label: str | None = None) -> list[VoteEffect]:
        """How much each vote on one record moved its prediction, the strongest first.

        Parameters
        ----------
        votes : LabelMatrix
        row : int
            Position of the record in ``votes``.
        end_label : str, optional
            Explain this end label instead of the predicted one.

        Returns
        -------
        list of VoteEffect
            ``effect`` is the log odds of the end label with the vote, less those had the LF abstained.

        Raises
        ------
        VotesError
            For a row or an end label that is not there.
        """
        self._check_votes(votes)
        if not 0 <= check_count("row", row, least=0) < votes.n_points:
            raise VotesError(f"row must be 0..{votes.n_points - 1}; got {row}.")
        record = votes.rows([row])
        target = int(self.predict(record)[0]) if end_label is None else int(self.schema.end_codes([end_label])[0])
        voters = np.flatnonzero(record.codes[0] != ABSTAIN)
        without = np.repeat(record.codes, len(voters) + 1, axis=0)
        without[np.arange(len(voters)), voters] = ABSTAIN  # the last row keeps all votes
        silenced = LabelMatrix(without, self.schema, votes.tasks, votes.names, outcomes=votes.outcomes)
        proba = self.predict_proba(silenced).end[:, target]
        log_odds = np.log(np.maximum(proba, 1e-300)) - np.log(np.maximum(1.0 - proba, 1e-300))
        effects = [
            VoteEffect(
                votes.names[j],
                votes.tasks[j],
                votes.vote_name(int(j), int(record.codes[0, j])),
                float(log_odds[-1] - log_odds[i]),
            )
            for i, j in enumerate(voters)
        ]
        return sorted(effects, key=lambda effect: -abs(effect.effect))

    @property
    def classes_(self) -> npt.NDArray[np.object_]:
        """object array (n_end_labels,): the end labels' names, whose positions ``predict`` returns."""
        return as_classes(self.schema)

    @property
    def n_features_in_(self) -> int:
        """Number of LFs that the model was fitted on."""
        self._check_fitted()
        return len(self.lf_names_)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted model to one ``.npz`` file, whole or not at all; read it by ``load_label_model``."""
        self._check_fitted()
        fitted = {name: value for name, value in vars(self).items() if name.endswith("_")}
        arrays = {name: value for name, value in fitted.items() if isinstance(value, np.ndarray)}
        dicts = {name: list(value) for name, value in fitted.items() if isinstance(value, dict)}
        fitted |= {name: list(value.values()) for name, value in fitted.items() if name in dicts}
        lists = {name: value for name, value in fitted.items() if name in dicts or _is_array_list(value)}
        arrays |= {f"{name}.{i}": part for name, parts in lists.items() for i, part in enumerate(parts)}
        header = {
            "model": type(self).__name__,
            "schema": self.schema.to_dict(),
            "parameters": {name: value for name, value in self.get_params().items() if name != "schema"},
            "values": {name: value for name, value in fitted.items() if name not in arrays and name not in lists},
            "lists": {name: len(parts) for name, parts in lists.items()},
            "dicts": dicts,
            "arrays": sorted(arrays),
        }
        save_arrays(path, _FORMAT, header, arrays)

    def _restore(self, header: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> Self:
        found: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in header["values"].items()
        }
        for name, count in header["lists"].items():
            found[name] = [arrays.pop(f"{name}.{i}") for i in range(count)]
        for name, keys in header["dicts"].items():
            found[name] = dict(zip(keys, found[name], strict=True))
        found |= arrays
        check_stored(type(self), self.schema, found)  # a file must not set what it likes
        for name, value in found.items():
            setattr(self, name, value)
        self._check_arguments()
        return self

    def _know(self, votes: LabelMatrix | VoteCounts) -> None:
        self.lf_names_, self.lf_tasks_, self.lf_outcomes_ = votes.names, votes.tasks, votes.outcomes

    def _check_lfs(self, votes: LabelMatrix, what: str, known: str) -> None:
        if (votes.names, votes.tasks) != (self.lf_names_, self.lf_tasks_):
            raise VotesError(f"{what} must come from {known}, in their order; they differ.")
        fitted = {name: Alphabet(rows) for name, rows in self.lf_outcomes_.items()}
        if fitted != {name: Alphabet(rows) for name, rows in votes.outcomes.items()}:
            raise VotesError(
                f"{what} must come from {known}, with the same outcomes; they differ. "
                "Pass like=, the votes of the fit, to mw.apply."
            )

    def _check_votes(self, votes: Any, kinds: tuple[type[Any], ...] = (LabelMatrix,)) -> None:
        check_instance("schema", self.schema, TaskSchema)
        if not isinstance(votes, kinds):
            check_instance("votes", votes, LabelMatrix, _HOW_TO_VOTE)
        if votes.schema != self.schema:
            raise VotesError("votes must have the model's schema; it differs.")

    def _check_prior(self, class_prior: Any) -> FloatArray | None:
        if class_prior is None:
            return None
        n_end = self.schema.n_end_labels
        shares = _in_order(class_prior, self.schema) if isinstance(class_prior, Mapping) else class_prior
        try:
            prior = np.asarray(shares, dtype=np.float64)
        except (TypeError, ValueError):
            prior = np.empty(0)  # no numbers
        if prior.shape != (n_end,) or not (prior >= 0).all() or not abs(prior.sum() - 1.0) < 1e-6:
            raise VotesError(
                f"class_prior must be {n_end} probabilities that sum to 1; {_got(class_prior, n_end)}"
            )
        return prior

    def _check_dev(self, dev: Dev | None) -> KnownLabels | None:
        if dev is None:
            return None
        votes, labels = check_pair("dev", dev, "(dev_votes, dev_labels)")
        self._check_votes(votes)
        self._check_lfs(votes, "dev votes", "the same LFs as votes")
        known = self.schema.known_codes(labels)
        if len(known) != votes.n_points:
            raise VotesError(f"dev must hold one label a record ({votes.n_points}); got {len(known)}.")
        if not len(known):
            return None
        rows = np.flatnonzero((known != ABSTAIN).any(axis=1))
        if not len(rows):
            raise VotesError("dev must hold a record whose label is known; got none.")
        return votes.rows(rows), known[rows]


def _got(class_prior: Any, n_end_labels: int) -> str:
    n_values = np.size(class_prior)
    if n_values <= n_end_labels:
        return f"got {class_prior!r}."
    return f"got {n_values:,} values. Labels of records that you know are for dev=(dev_votes, dev_labels)."


def _in_order(shares: Mapping[Any, Any], schema: TaskSchema) -> list[Any]:
    """The values of a class prior by name, in the order of the end labels."""
    found: dict[int, Any] = {}
    for name, share in shares.items():
        try:
            code = int(schema.end_of(schema.known_codes([name], names=True))[0])
        except VotesError as error:
            raise VotesError(f"class_prior: {str(error).removeprefix('Row 0: ')}") from None
        if code < 0 or code in found:
            what = "two values for" if code in found else "no end label but"
            raise VotesError(f"class_prior must have one value for each end label; got {what} {name!r}.")
        found[code] = share
    if missing := [repr(name) for code, name in enumerate(schema.end_labels) if code not in found]:
        more = f" and {len(missing) - 12} more" if len(missing) > 12 else ""
        raise VotesError(
            f"class_prior must have a value for each end label; got none for {', '.join(missing[:12])}{more}. "
            "Give 0 to those that never occur."
        )
    return [found[code] for code in range(schema.n_end_labels)]


def _is_array_list(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(isinstance(part, np.ndarray) for part in value)


def _kinds() -> Iterator[type[LabelModel]]:
    found = LabelModel.__subclasses__()
    while found:
        yield (kind := found.pop())
        found += kind.__subclasses__()


def load_label_model(path: str | os.PathLike[str]) -> LabelModel:
    """Read a fitted label model that ``save`` wrote. Nothing in the file is executed.

    Raises
    ------
    DataError
        When the file is missing, damaged or no label model.
    """
    header, arrays = load_arrays(path, _FORMAT)
    with reading(path, _FORMAT):
        kinds: dict[str, Any] = {kind.__name__: kind for kind in _kinds()}
        model = kinds[header["model"]](TaskSchema.from_dict(header["schema"]), **header["parameters"])
        restored: LabelModel = model._restore(header, arrays)
        return restored
