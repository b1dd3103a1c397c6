"""Pure functions on arrays: log-space inference over the task tree, likelihoods, sufficient statistics."""

from metalwork.inference._loglinear import LogLinearParameters, VotesByTask, objective, potentials
from metalwork.inference._patterns import Patterns, distinct_rows
from metalwork.inference._tree import END, Beliefs, Tree, end_posterior, logsumexp_rows, pass_down, pass_up

__all__ = [
    "END",
    "Beliefs",
    "LogLinearParameters",
    "Patterns",
    "Tree",
    "VotesByTask",
    "distinct_rows",
    "end_posterior",
    "logsumexp_rows",
    "objective",
    "pass_down",
    "pass_up",
    "potentials",
]
