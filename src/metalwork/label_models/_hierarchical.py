"""The default label model."""

import logging
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from metalwork._checks import FloatArray, check_choice, check_positive
from metalwork.inference import (
    CodedVotes,
    Expected,
    Floats,
    Tree,
    add_counts,
    code_votes,
    end_posterior,
    expected_counts,
    known_counts,
    log_likelihood,
    pair_residuals,
    row_beliefs,
)
from metalwork.label_models._base import LabelModel
from metalwork.label_models._estimates import (
    Tables,
    VotePriors,
    estimate_log_prior,
    estimate_tables,
    estimate_votes_only,
    initial_votes_only,
    most_precision,
    raise_own_labels,
    votes_only_tables,
)
from metalwork.schema import TaskSchema
from metalwork.votes import LabelMatrix

_LOG = logging.getLogger(__name__)
_INDEPENDENT = 1.5
_PRIOR_STRENGTH = 1.0
_TABLE_STRENGTH = 1.0
_TABLE_LEAN = 2.0


class _Fit(NamedTuple):
    tables: Tables
    log_prior: list[Floats]
    expected: Expected
    log_likelihoods: list[float]
    converged: bool


class HierarchicalLabelModel(LabelModel):
    r"""The default label model: a mixture over end labels, normalised, one vote table an LF.

    .. math::
        p(y, \lambda) = p(y) \prod_j p(\lambda_j \mid y_{t(j)}), \qquad
        y_{t} \in \{1..k_t\} \cup \{\text{does not apply}\}

    Fitted by EM with weak priors, without labels, in two readings of the votes:

    *Votes only*: an abstain says nothing; each LF has one precision, and one ratio for how much rarer it votes
    where its task does not apply; the class prior is given, anchored by dev labels, or uniform. Robust: LFs
    written to complement each other are far from independent in *whether* they vote.
    *Generative*: each LF has a full table of votes and abstains by label and off-branch; the class prior is
    learned. Close to optimal where LFs are independent given the label, and harmful where they are not.

    ``abstains="auto"`` fits both and uses the generative one only where pairs of LFs agree as it predicts
    (``dependence_``, the mean squared residual of joint votes, at most 1.5 where 1 or less is expected).

    Cost: counting reads the matrix once; each EM step is linear in distinct rows times labels.

    Parameters
    ----------
    schema : TaskSchema
    abstains : "auto", "ignored" or "informative"
        Which reading; see above.
    precision, strength : float
        Beta prior of each LF's precision: its mean, and its weight in votes.
    off_branch_ratio : float in (0, 1]
        Prior mean of how much rarer an LF votes where its task does not apply.
    dev_weight : float
        How many records a dev record counts for.
    unvoted : "exclude" or "allow"
        Whether a label that no LF voted for on a record may rank above one that some LF voted for.
    max_iter, tol : int, float
        EM stops when the log likelihood (votes only: the beliefs) of a record moves less than ``tol``.
    random_state : int
        Kept for the common interface: nothing here is random.

    Attributes
    ----------
    class_prior_ : float array (n_end_labels,)
    accuracies_ : float array (n_lfs,)
        Estimated share of each LF's votes that are right, among those where its task applies.
    off_branch_rates_ : float array (n_lfs,)
        Estimated share of each LF's votes that fall where its task does not apply.
    abstains_ : "ignored" or "informative"
        The reading in use.
    dependence_ : float
    log_likelihoods_ : list of float
        Per record, at each EM step of the generative reading; empty where it was not fitted.
    converged_, n_iter_ : bool, int
    """

    def __init__(
        self,
        schema: TaskSchema,
        abstains: str = "auto",
        precision: float = 0.8,
        strength: float = 50.0,
        off_branch_ratio: float = 0.3,
        dev_weight: float = 1.0,
        unvoted: str = "exclude",
        max_iter: int = 100,
        tol: float = 1e-6,
        random_state: int = 0,
    ) -> None:
        self.schema = schema
        self.abstains = abstains
        self.precision = precision
        self.strength = strength
        self.off_branch_ratio = off_branch_ratio
        self.dev_weight = dev_weight
        self.unvoted = unvoted
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    def _fit(
        self,
        votes: LabelMatrix,
        class_prior: FloatArray | None,
        dev: tuple[LabelMatrix, npt.NDArray[np.int64]] | None,
    ) -> None:
        self._check_arguments()
        tree = Tree.of(self.schema)
        coded, _ = self._code(votes)
        known = None if dev is None else self._known(tree, *dev)
        prior = self._start_prior(class_prior, dev)
        fit = self._fit_votes_only(tree, coded, prior, known)
        self.abstains_, self.dependence_, self.log_likelihoods_ = "ignored", float("nan"), []
        if self.abstains != "ignored":
            generative = self._fit_generative(tree, coded, fit, known, learn_prior=class_prior is None)
            residuals = pair_residuals(tree, coded, generative.tables, generative.log_prior)
            self.dependence_ = _mean_square(residuals.z)
            if self.abstains == "informative" or self.dependence_ <= _INDEPENDENT:
                fit, self.abstains_ = generative, "informative"
                fit = fit._replace(tables=raise_own_labels(fit.tables))
            self.log_likelihoods_ = [value / votes.n_points for value in generative.log_likelihoods]
        _LOG.info("abstains %s (dependence %.2f)", self.abstains_, self.dependence_)
        self._keep(tree, coded, fit)

    def _check_arguments(self) -> None:
        check_choice("abstains", self.abstains, ("auto", "ignored", "informative"))
        check_choice("unvoted", self.unvoted, ("exclude", "allow"))
        for name in ("precision", "strength", "off_branch_ratio", "dev_weight", "max_iter", "tol"):
            check_positive(name, getattr(self, name))

    def _code(self, votes: LabelMatrix) -> tuple[CodedVotes, npt.NDArray[np.int64]]:
        lfs = [np.asarray(votes.lfs_of(task), dtype=np.int64) for task in self.schema.tasks]
        return code_votes(votes.codes, lfs, self.schema.n_labels)

    def _known(self, tree: Tree, votes: LabelMatrix, ends: npt.NDArray[np.int64]) -> Expected:
        coded, rows = self._code(votes)
        return known_counts(tree, coded, rows, self.schema.task_codes[ends])

    def _start_prior(self, class_prior: FloatArray | None, dev: Any) -> FloatArray:
        n_end = self.schema.n_end_labels
        if class_prior is not None:
            return class_prior
        if dev is None:
            return np.full(n_end, 1.0 / n_end)
        counts = np.bincount(dev[1], minlength=n_end) + 1.0
        return np.asarray(counts / counts.sum())

    def _fit_votes_only(self, tree: Tree, coded: CodedVotes, prior: FloatArray, known: Expected | None) -> _Fit:
        priors = VotePriors(self.precision, self.strength, self.off_branch_ratio)
        log_prior, applies = self._branch(prior)
        spoken = [_votes_of(coded, t) for t in range(len(coded.tasks))]
        most = most_precision(coded, spoken, log_prior, applies)
        parameters = initial_votes_only(coded, priors)
        converged = False
        for _ in range(int(self.max_iter)):
            tables = votes_only_tables(coded, parameters, log_prior, most)
            expected = self._expect(tree, coded, tables, log_prior, known)
            updated = estimate_votes_only(expected, priors)
            moved = max(float(np.abs(new - old).max(initial=0)) for new, old in _pairs(updated, parameters))
            parameters = updated
            if moved < 100 * self.tol:
                converged = True
                break
        tables = votes_only_tables(coded, parameters, log_prior, most)
        expected = expected_counts(tree, coded, tables, log_prior)
        return _Fit(tables, log_prior, expected, [], converged)

    def _fit_generative(
        self, tree: Tree, coded: CodedVotes, start: _Fit, known: Expected | None, learn_prior: bool
    ) -> _Fit:
        expected = start.expected if known is None else add_counts(start.expected, known, self.dev_weight)
        log_prior, values, converged = start.log_prior, [], False
        for _ in range(int(self.max_iter)):
            tables = estimate_tables(expected, _TABLE_STRENGTH, _TABLE_LEAN)
            if learn_prior:
                log_prior = estimate_log_prior(expected, _PRIOR_STRENGTH)
            plain = expected_counts(tree, coded, tables, log_prior)
            values.append(log_likelihood(plain, tables))
            expected = plain if known is None else add_counts(plain, known, self.dev_weight)
            if len(values) > 1 and abs(values[-1] - values[-2]) < self.tol * coded.weights.sum():
                converged = True
                break
        return _Fit(tables, log_prior, plain, values, converged)

    def _expect(
        self, tree: Tree, coded: CodedVotes, tables: Tables, log_prior: list[Floats], known: Expected | None
    ) -> Expected:
        plain = expected_counts(tree, coded, tables, log_prior)
        return plain if known is None else add_counts(plain, known, self.dev_weight)

    def _branch(self, prior: FloatArray) -> tuple[list[Floats], Floats]:
        """Log branch probabilities of each task, and the probability that it applies."""
        log_prior, applies = [], []
        floored = np.maximum(prior, 1e-9)
        for task in self.schema.tasks:
            share = np.array([floored[start:stop].sum() for start, stop in self.schema.spans(task)])
            log_prior.append(np.log(share / share.sum()))
            applies.append(share.sum())
        return log_prior, np.array(applies)

    def _keep(self, tree: Tree, coded: CodedVotes, fit: _Fit) -> None:
        self.tables_, self.log_prior_ = fit.tables, fit.log_prior
        self.converged_, self.n_iter_ = fit.converged, len(fit.log_likelihoods)
        self.class_prior_ = end_posterior(tree, [share[None, :] for share in fit.log_prior])[0]
        self.accuracies_, self.off_branch_rates_ = np.full(coded.n_lfs, np.nan), np.full(coded.n_lfs, np.nan)
        for task, counted in zip(coded.tasks, fit.expected.votes, strict=True):
            k = task.n_labels
            on, off = counted[:, :k].sum(axis=(1, 2)), counted[:, k].sum(axis=1)
            right = counted[:, np.arange(k), np.arange(k)].sum(axis=1)
            self.accuracies_[task.lfs] = (right + 1e-9 * self.precision) / (on + 1e-9)
            self.off_branch_rates_[task.lfs] = off / np.maximum(on + off, 1e-9)

    def _posterior(self, votes: LabelMatrix) -> FloatArray:
        tree = Tree.of(self.schema)
        coded, rows = self._code(votes)
        found = np.empty((len(coded.weights), tree.n_end_labels))
        for chunk, _, log_branch in row_beliefs(tree, coded, self.tables_, self.log_prior_):
            found[chunk] = end_posterior(tree, log_branch)
        if self.unvoted == "exclude":
            found = _rank_voted_first(found, self._voted(tree, coded))
        return found[rows]

    def _voted(self, tree: Tree, coded: CodedVotes) -> npt.NDArray[np.bool_]:
        """bool (n_rows, n_end_labels): does any vote of the row support the end label?"""
        voted = np.zeros((len(coded.weights), tree.n_end_labels), dtype=bool)
        for t, (name, task) in enumerate(zip(self.schema.tasks, coded.tasks, strict=True)):
            sum_by_label = np.tile(np.eye(task.n_labels), (len(task.lfs), 1))
            supported = (task.one_hot @ sum_by_label > 0)[coded.rows[:, t]]
            for c, (start, stop) in enumerate(self.schema.spans(name)):
                voted[:, start:stop] |= supported[:, c : c + 1]
        return voted


def _rank_voted_first(posterior: FloatArray, voted: npt.NDArray[np.bool_]) -> FloatArray:
    """Hold unvoted labels just below the best voted one; rows without a vote stay as they are."""
    best: FloatArray = np.where(voted, posterior, 0.0).max(axis=1, keepdims=True)
    held = np.where(voted, posterior, np.minimum(posterior, best * (1 - 1e-9)))
    total = held.sum(axis=1, keepdims=True)
    return np.where(best > 0, held / np.where(total > 0, total, 1.0), posterior)


def _votes_of(coded: CodedVotes, t: int) -> Floats:
    """Votes of each LF of task t by label: float (n_lfs, n_labels)."""
    task = coded.tasks[t]
    weights = np.bincount(coded.rows[:, t], coded.weights, task.one_hot.shape[0])
    return np.asarray(task.one_hot.T @ weights).reshape(len(task.lfs), task.n_labels)


def _pairs(first: Any, second: Any) -> list[tuple[Floats, Floats]]:
    return [pair for new, old in zip(first, second, strict=True) for pair in zip(new, old, strict=True)]


def _mean_square(z: Floats) -> float:
    used = z[np.triu(z != 0, 1)]
    return float((used**2).mean()) if used.size else 0.0
