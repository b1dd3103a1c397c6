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
from metalwork.label_models._features import (
    FeatureModel,
    Matrix,
    as_matrix,
    feature_model_rule,
    learn_features,
    with_features,
)
from metalwork.label_models._stored import Fitted, check_stored, packed, unpacked
from metalwork.label_models._vote_counts import VoteCounts
from metalwork.probabilities import TaskProbabilities, first_of_best
from metalwork.schema import TaskSchema
from metalwork.votes import MOST_LABELS_ON_GRID, Alphabet, LabelMatrix

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

    Given ``features`` of the records, ``fit`` also learns a classifier of them from the posterior of the votes,
    and the posterior becomes ``p(y | votes, x)``, proportional to ``p(y | votes) (q(y | x) / q(y)) ** w``:
    naive Bayes on words (sparse counts) or on numbers (an array), trained out of fold, calibrated, and weighed by
    how much better it predicts the votes of LFs that are left out. ``predict`` and its kin take the features of
    the records, too; without them they go by the votes alone.
    """

    _estimator_type = "classifier"
    _called_before = "it predicts. Call fit(votes) first."
    _fitted: ClassVar[Fitted] = {"feature_model_": feature_model_rule}
    schema: TaskSchema
    lf_names_: tuple[str, ...]
    lf_tasks_: tuple[str, ...]
    lf_outcomes_: dict[str, FloatArray]
    feature_model_: FeatureModel

    def fit(
        self,
        votes: LabelMatrix | VoteCounts,
        class_prior: Any = None,
        dev: Dev | None = None,
        features: Any = None,
    ) -> Self:
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
        features : float array or sparse matrix (n_points, n_features), optional
            Of the same records: word counts in a sparse matrix, or numbers in an array.

        Raises
        ------
        VotesError
            When an argument does not fit the votes, the schema or the LFs.
        """
        self._check_votes(votes, (LabelMatrix, VoteCounts))
        if votes.n_points == 0:
            raise VotesError("votes must hold at least one record; got none.")
        self._know(votes)
        given = self._check_prior(class_prior), self._check_dev(dev)
        inputs = None if features is None else self._learn_inputs(votes, features)
        if isinstance(votes, VoteCounts):
            self._fit_counted(votes, *given)
            return self
        self._fit(votes, *given)
        if inputs is not None:
            self.feature_model_ = learn_features(votes, inputs, self._posterior)
        return self

    def learn_features(self, votes: LabelMatrix, features: Any) -> Self:
        """What :meth:`fit` does with ``features``, for a model that is fitted: of a sample of the records, say.

        Parameters
        ----------
        votes : LabelMatrix (n_points, n_lfs)
            Votes of the same LFs.
        features : float array or sparse matrix (n_points, n_features)
        """
        self._check_asked(votes)
        self.feature_model_ = learn_features(votes, self._learn_inputs(votes, features), self._posterior)
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
        return _drawn(self)

    def predict_proba(self, votes: LabelMatrix, features: Any = None) -> TaskProbabilities:
        """Probabilities of the end labels, and of every task's labels; by the votes alone without ``features``."""
        self._check_asked(votes)
        return TaskProbabilities(self._end(votes, self._inputs(votes, features)), self.schema)

    def predict(self, votes: LabelMatrix, undecided: str = "label", features: Any = None) -> npt.NDArray[np.int64]:
        """Most probable end-label codes (n_points,).

        Parameters
        ----------
        votes : LabelMatrix
        undecided : "label" or "abstain"
            What a record gets on which no LF votes, without ``features``, or where two or more end labels share
            the highest probability (to within a millionth of it: more than rounding and optimisers leave of a tie,
            less than any vote makes): the first of them all the same, or ``ABSTAIN`` (-1).
        features : float array or sparse matrix (n_points, n_features), optional
        """
        check_choice("undecided", undecided, UNDECIDED)
        self._check_asked(votes)
        inputs = self._inputs(votes, features)
        scores = self._end(votes, inputs)
        predicted = first_of_best(scores)
        if undecided == "abstain" and inputs is None:
            open_ones = self._tied(votes, scores) | (votes.codes == ABSTAIN).all(axis=1)
            predicted[open_ones] = ABSTAIN
        elif undecided == "abstain":
            predicted[tied(scores)] = ABSTAIN
        return predicted

    def _tied(self, votes: LabelMatrix, scores: FloatArray) -> BoolArray:
        """On which records scores are tied: bool array (n_points,)."""
        return tied(scores)

    def score(self, votes: LabelMatrix, y: Any, features: Any = None) -> float:
        """Accuracy on end labels ``y`` (names or codes), in [0, 1]; no record is left undecided.

        Records not known down to an end label are left out.
        """
        gold = self.schema.end_of(self.schema.known_codes(y))
        if len(gold) != votes.n_points:
            raise VotesError(f"y must hold one end label a record ({votes.n_points}); got {len(gold)}.")
        if not (known := gold >= 0).any():
            raise VotesError("y must hold at least one known end label; got none.")
        return float(np.mean(self.predict(votes, features=features)[known] == gold[known]))

    def explain(
        self, votes: LabelMatrix, row: int, end_label: str | None = None, features: Any = None
    ) -> list[VoteEffect]:
        """How much each vote on one record moved its prediction, the strongest first.

        Parameters
        ----------
        votes : LabelMatrix
        row : int
            Position of the record in ``votes``.
        end_label : str, optional
            Explain this end label instead of the predicted one.
        features : float array or sparse matrix (n_points, n_features), optional
            Of all records; the effect of a vote is then beside what the features say.

        Returns
        -------
        list of VoteEffect
            ``effect`` is the log odds of the end label with the vote, less those had the LF abstained.

        Raises
        ------
        VotesError
            For a row or an end label that is not there.
        """
        self._check_asked(votes)
        if not 0 <= check_count("row", row, least=0) < votes.n_points:
            raise VotesError(f"row must be 0..{votes.n_points - 1}; got {row}.")
        inputs = self._inputs(votes, features)
        if end_label is None:
            end = self._end(votes.rows([row]), None if inputs is None else inputs[[row]])
            target = int(first_of_best(end)[0])
        else:
            target = int(self.schema.end_codes([end_label])[0])
        silenced, voters = _one_silent_each(votes.rows([row]))
        repeated = None if inputs is None else inputs[np.full(silenced.n_points, row)]
        proba = self._end(silenced, repeated)[:, target]
        log_odds = np.log(np.maximum(proba, 1e-300)) - np.log(np.maximum(1.0 - proba, 1e-300))
        effects = [
            VoteEffect(
                votes.names[j],
                votes.tasks[j],
                votes.vote_name(int(j), int(votes.codes[row, j])),
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
        save_arrays(path, _FORMAT, *self._pack())

    def _pack(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """What files hold: plain JSON, and arrays by name."""
        fitted, arrays = packed({name: value for name, value in vars(self).items() if name.endswith("_")})
        parameters = {name: value for name, value in self.get_params(deep=False).items() if name != "schema"}
        header = {"model": type(self).__name__, "schema": self.schema.to_dict(), "parameters": parameters}
        return header | fitted, arrays

    def _restore(self, header: Mapping[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> Self:
        found = unpacked(header, arrays)
        check_stored(type(self), self.schema, found)  # a file must not set what it likes
        for name, value in found.items():
            setattr(self, name, value)
        self._check_arguments()
        return self

    def _know(self, votes: LabelMatrix | VoteCounts) -> None:
        self.lf_names_, self.lf_tasks_, self.lf_outcomes_ = votes.names, votes.tasks, _kept(votes.outcomes)
        self.feature_model_ = {}

    def _check_asked(self, votes: LabelMatrix) -> None:
        self._check_fitted()
        self._check_votes(votes)
        self._check_lfs(votes, "votes", "the LFs the model was fitted on")

    def _learn_inputs(self, votes: LabelMatrix | VoteCounts, features: Any) -> Matrix:
        """Features that a classifier is to learn from."""
        check_instance("votes", votes, LabelMatrix, "Features are of records: counts of votes have none.")
        return as_matrix(features, votes.n_points)

    def _inputs(self, votes: LabelMatrix, features: Any) -> Matrix | None:
        """Features that are to be read, as those of the fit."""
        if features is None:
            return None
        if not self.feature_model_:
            raise VotesError(
                "features must be given to fit, too; it had none. Fit with features=, or leave them out."
            )
        return as_matrix(features, votes.n_points, len(self.feature_model_["factor"]))

    def _end(self, votes: LabelMatrix, inputs: Matrix | None) -> FloatArray:
        """Probabilities of the end labels (n_points, n_end_labels)."""
        posterior = self._posterior(votes)
        if inputs is None:
            return posterior
        return with_features(posterior, (votes.codes != ABSTAIN).any(axis=1), self.feature_model_, inputs)

    def _check_lfs(self, votes: LabelMatrix, what: str, known: str) -> None:
        if (votes.names, votes.tasks) != (self.lf_names_, self.lf_tasks_):
            raise VotesError(f"{what} must come from {known}, in their order; they differ.")
        if not _alike(self.lf_outcomes_, votes.outcomes):
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
        return None if class_prior is None else _checked_prior(class_prior, self.schema)

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


def tied(scores: FloatArray) -> BoolArray:
    """On which records two or more end labels share the highest score: bool array (n_points,)."""
    ties: BoolArray = (scores >= scores.max(axis=1, keepdims=True) * (1.0 - TIE)).sum(axis=1) > 1
    return ties


def _one_silent_each(record: LabelMatrix) -> tuple[LabelMatrix, npt.NDArray[np.int64]]:
    """The votes on one record, each LF that votes silenced in a row of its own; the last row keeps all votes."""
    voters = np.flatnonzero(record.codes[0] != ABSTAIN)
    without = np.repeat(record.codes, len(voters) + 1, axis=0)
    without[np.arange(len(voters)), voters] = ABSTAIN
    return LabelMatrix(without, record.schema, record.tasks, record.names, outcomes=record.outcomes), voters


def _drawn(model: LabelModel) -> str:
    if not model.__sklearn_is_fitted__():
        return _html.lines(repr(model))
    names = {"accuracies_": "learned accuracy", "off_branch_rates_": "votes off its branch"}
    learned = {text: getattr(model, name) for name, text in names.items() if hasattr(model, name)}
    figures = zip(*(np.asarray(values).tolist() for values in learned.values()), strict=True)
    lfs = list(zip(model.lf_names_, model.lf_tasks_, strict=True))
    rows = [(*lf, *own) for lf, own in zip(lfs, figures if learned else [()] * len(lfs), strict=True)]
    prior = getattr(model, "class_prior_", None)
    shares = [] if prior is None else zip(model.schema.end_labels, np.asarray(prior).tolist(), strict=True)
    tables = [_html.table(["LF", "task", *learned], rows, n_text=2)]
    tables += [_html.table(["end label", "class prior"], list(shares))] if prior is not None else []
    return _html.block(repr(model), *tables)


def _checked_prior(class_prior: Any, schema: TaskSchema) -> FloatArray:
    n_end = schema.n_end_labels
    shares = _in_order(class_prior, schema) if isinstance(class_prior, Mapping) else class_prior
    try:
        prior = np.asarray(shares, dtype=np.float64)
    except (TypeError, ValueError):
        prior = np.empty(0)  # no numbers
    if prior.shape != (n_end,) or not (prior >= 0).all() or not abs(prior.sum() - 1.0) < 1e-6:
        raise VotesError(f"class_prior must be {n_end} probabilities that sum to 1; {_got(class_prior, n_end)}")
    return prior


def _alike(fitted: Mapping[str, FloatArray], given: Mapping[str, FloatArray]) -> bool:
    """Whether what was learned of LFs with some alphabets holds for others."""
    if fitted.keys() != given.keys():
        return False
    return all(Alphabet(rows).stands_for(Alphabet(given[name])) for name, rows in fitted.items())


def _kept(outcomes: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Alphabets as a model keeps them: of soft votes off the grid, that they are soft."""
    found = {}
    for name, rows in outcomes.items():
        k = rows.shape[1] - 1
        off_grid = k > MOST_LABELS_ON_GRID and Alphabet(rows).distributions
        found[name] = np.append(np.full((1, k), 1.0 / k), [[np.nan]], axis=1) if off_grid else rows
    return found


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
        return unpack_label_model(header, arrays)


def unpack_label_model(header: Mapping[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> LabelModel:
    """A fitted label model from what its file holds."""
    kinds: dict[str, Any] = {kind.__name__: kind for kind in _kinds()}
    model = kinds[header["model"]](TaskSchema.from_dict(header["schema"]), **header["parameters"])
    restored: LabelModel = model._restore(header, arrays)
    return restored
