"""Pure functions on arrays: log-space inference over the task tree, likelihoods, sufficient statistics."""

from metalwork.inference._dependence import PairResiduals, pair_residuals, systematic_sample
from metalwork.inference._loglinear import LogLinearParameters, VotesByTask, objective, potentials
from metalwork.inference._mixture import (
    CodedVotes,
    Expected,
    TaskPatterns,
    add_counts,
    code_votes,
    expected_counts,
    known_counts,
    log_likelihood,
    row_beliefs,
)
from metalwork.inference._patterns import Patterns, distinct_rows
from metalwork.inference._tree import (
    END,
    Beliefs,
    Floats,
    Tree,
    end_posterior,
    logsumexp_rows,
    pass_down,
    pass_up,
)

__all__ = [
    "END",
    "Beliefs",
    "CodedVotes",
    "Expected",
    "Floats",
    "LogLinearParameters",
    "PairResiduals",
    "Patterns",
    "TaskPatterns",
    "Tree",
    "VotesByTask",
    "add_counts",
    "code_votes",
    "distinct_rows",
    "end_posterior",
    "expected_counts",
    "known_counts",
    "log_likelihood",
    "logsumexp_rows",
    "objective",
    "pair_residuals",
    "pass_down",
    "pass_up",
    "potentials",
    "row_beliefs",
    "systematic_sample",
]
