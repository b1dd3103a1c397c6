"""The paper's label model, to the letter."""

import warnings
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from metalwork._checks import (
    FloatArray,
    IntArray,
    check_count,
    check_not_negative,
    check_number,
    check_numbers,
    check_positive,
)
from metalwork.errors import MetalworkWarning, VotesError
from metalwork.inference import (
    LogLinearParameters,
    Tree,
    VotesByTask,
    end_posterior,
    objective,
    pass_up,
    potentials,
)
from metalwork.label_models._base import LabelModel
from metalwork.label_models._stored import Fitted, flag, numbers, whole
from metalwork.label_models._vote_counts import VoteCounts
from metalwork.schema import TaskSchema
from metalwork.votes import LabelMatrix


class LogLinearLabelModel(LabelModel):
    r"""The label model of the paper's section 3, exactly.

    .. math::
        p_\theta(\lambda, y) = \exp(\theta^T h(\lambda, y)) / Z_\theta, \qquad
        h^{lab}_{t,j} = 1\{y_t \ne \emptyset\} 1\{\lambda_{t,j} \ne 0\}, \qquad
        h^{acc}_{t,j} = h^{lab}_{t,j} (1\{\lambda_{t,j} = y_t\} - 1\{\lambda_{t,j} \ne y_t\})

    with exactly one end label (hard constraint) and LFs independent given their task's label. The paper
    minimises the negative log marginal likelihood. At its optimum the model collapses on real LFs: an LF of a
    task that does not apply is taken as uniform over its k + 1 outputs, real LFs abstain there, and the
    likelihood explains that by lowering ``theta_lab`` until a vote *lowers* its own label. So by default a
    penalty keeps ``theta`` near its initial value, and a warning says when a vote has come to mean the
    opposite. ``l2=0`` is the paper's objective without it. Cost: linear in distinct rows times LFs.

    Parameters
    ----------
    schema : TaskSchema
    initial_lab, initial_acc : float
        Where every ``theta_lab`` and ``theta_acc`` starts; the soft majority vote stays there.
    l2 : float, at least 0
        Weight of the penalty ``l2 / 2 * |theta - initial|^2``, beside the *mean* log likelihood of a record.
    max_iter, tol : int, float
        Limits of the L-BFGS optimiser.

    Attributes
    ----------
    theta_ : float array (2 * n_lfs,)
        ``concatenate([theta_lab, theta_acc])``.
    converged_, n_iter_ : bool, int
    """

    _fitted: ClassVar[Fitted] = {"theta_": numbers("n_lfs", times=2), "converged_": flag, "n_iter_": whole}

    def __init__(
        self,
        schema: TaskSchema,
        initial_lab: float = 0.0,
        initial_acc: float = 1.0,
        l2: float = 1.0,
        max_iter: int = 500,
        tol: float = 1e-8,
    ) -> None:
        self.schema = schema
        self.initial_lab = initial_lab
        self.initial_acc = initial_acc
        self.l2 = l2
        self.max_iter = max_iter
        self.tol = tol

    def initial_theta(self, n_lfs: int) -> FloatArray:
        """The starting ``theta``: float array (2 * n_lfs,)."""
        return np.repeat([float(self.initial_lab), float(self.initial_acc)], n_lfs)

    def objective(self, votes: LabelMatrix, theta: Any) -> tuple[float, FloatArray]:
        """Mean negative log marginal likelihood of a record, and its gradient (2 * n_lfs,), unpenalised.

        ``theta`` is ``concatenate([theta_lab, theta_acc])``, each (n_lfs,). Exact, by one pass up and down
        the tree (paper, section 3).
        """
        self._check_votes(votes)
        votes.check_plain("LogLinearLabelModel")
        if votes.n_points == 0:
            raise VotesError("votes must hold at least one record; got none.")
        value, gradient = objective(
            Tree.of(self.schema),
            _counted(votes.codes, np.ones(votes.n_points), votes)[0],
            _split(theta, votes.n_lfs),
        )
        return value, np.concatenate(gradient)

    def posterior(self, votes: LabelMatrix, theta: Any) -> FloatArray:
        """P(end label given the votes): float array (n_points, n_end_labels), rows sum to 1."""
        self._check_votes(votes)
        votes.check_plain("LogLinearLabelModel")
        tree, (counted, row_of_point) = Tree.of(self.schema), _counted(votes.codes, np.ones(votes.n_points), votes)
        beliefs = pass_up(tree, potentials(tree, counted, _split(theta, votes.n_lfs)))
        return end_posterior(tree, beliefs.log_branch)[row_of_point]

    def _fit(self, votes: LabelMatrix, class_prior: FloatArray | None, dev: Any) -> None:
        counted, _ = _counted(votes.codes, np.ones(votes.n_points), votes)
        self._fit_rows(votes, counted, class_prior is not None or dev is not None)

    def _fit_counted(self, counts: VoteCounts, class_prior: FloatArray | None, dev: Any) -> None:
        votes, weights = counts.rows()
        counted, _ = _counted(votes.codes, weights, votes)
        self._fit_rows(votes, counted, class_prior is not None or dev is not None)

    def _fit_rows(self, votes: LabelMatrix, counted: VotesByTask, has_more: bool) -> None:
        votes.check_plain("LogLinearLabelModel")
        self._check_arguments()
        if has_more:
            warnings.warn(
                "LogLinearLabelModel is the paper's model, which has no class prior and sees no labels: "
                "class_prior and dev are not used. HierarchicalLabelModel uses both.",
                MetalworkWarning,
                stacklevel=4,
            )
        tree, start = Tree.of(self.schema), self.initial_theta(votes.n_lfs)

        def penalised(theta: FloatArray) -> tuple[float, FloatArray]:
            value, gradient = objective(tree, counted, _split(theta, votes.n_lfs))
            away = theta - start
            return value + 0.5 * self.l2 * float(away @ away), np.concatenate(gradient) + self.l2 * away

        options = {"maxiter": self.max_iter, "ftol": 0.0, "gtol": self.tol}
        found = minimize(penalised, start, jac=True, method="L-BFGS-B", options=options)
        self.theta_ = np.asarray(found.x)
        self.n_iter_ = int(found.nit)
        self.converged_ = bool(found.success)
        self._warn_where_votes_invert(votes)

    def _check_arguments(self) -> None:
        check_not_negative("l2", self.l2)
        check_count("max_iter", self.max_iter)
        check_positive("tol", self.tol)
        for name in ("initial_lab", "initial_acc"):
            check_number(name, getattr(self, name))

    def _warn_where_votes_invert(self, votes: LabelMatrix) -> None:
        theta = _split(self.theta_, votes.n_lfs)
        inverted = [name for name, weight in zip(votes.names, theta.lab + theta.acc, strict=True) if weight < 0]
        if inverted:
            named = ", ".join(inverted[:5]) + (" ..." if len(inverted) > 5 else "")
            warnings.warn(
                f"The paper's model has left its initial weights so far that a vote of {len(inverted)} of "
                f"{votes.n_lfs} LFs can lower its own label ({named}). Raise l2, or use HierarchicalLabelModel.",
                MetalworkWarning,
                stacklevel=5,
            )

    def _posterior(self, votes: LabelMatrix) -> FloatArray:
        return self.posterior(votes, self.theta_)


def _counted(codes: IntArray, weights: FloatArray, like: LabelMatrix) -> tuple[VotesByTask, npt.NDArray[np.int64]]:
    """The distinct rows of votes with how many records each stands for, and the row of every one given."""
    rows, row_of_point = np.unique(codes, axis=0, return_inverse=True)
    lfs = tuple(np.asarray(like.lfs_of(task), dtype=np.int64) for task in like.schema.tasks)
    counts = np.bincount(row_of_point.ravel(), weights, len(rows)).astype(np.float64)
    return VotesByTask(rows, counts, lfs), row_of_point.ravel()


def _split(theta: Any, n_lfs: int) -> LogLinearParameters:
    array = check_numbers("theta", theta)
    if array.shape != (2 * n_lfs,) or not np.isfinite(array).all():
        raise VotesError(
            f"theta must be {2 * n_lfs} finite numbers (theta_lab, theta_acc); got shape {array.shape}."
        )
    return LogLinearParameters(array[:n_lfs], array[n_lfs:])
