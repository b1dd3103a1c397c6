"""Arguments of the analyses, each of one tree: what holds several is refused with the way to one of them."""

from collections.abc import Iterable, Mapping
from typing import Any

from metalwork._checks import check_instance
from metalwork.errors import VotesError
from metalwork.probabilities import TaskProbabilities
from metalwork.votes import ForestProbabilities, LabelMatrix, Space, TaskForest


def check_votes(votes: Any) -> LabelMatrix:
    """A label matrix; those of a forest, by root, are refused."""
    refuse_roots("votes", votes)
    matrix: LabelMatrix = check_instance("votes", votes, LabelMatrix)
    return matrix


def check_probabilities(probs: Any) -> TaskProbabilities:
    """Probabilities of one tree."""
    refuse_roots("probs", probs)
    found: TaskProbabilities = check_instance("probs", probs, TaskProbabilities)
    return found


def check_space(space: Any) -> Space:
    """A tree, or label vectors."""
    if isinstance(space, TaskForest):
        raise _several("schema", "schema.schemas", space.schemas)
    found: Space = check_instance("schema", space, Space, "Pass a TaskSchema or FeasibleLabels.")
    return found


def refuse_roots(name: str, value: Any) -> None:
    """Raise a ``VotesError`` for a dict by root task, as forests have them, and for a forest's probabilities."""
    if isinstance(value, ForestProbabilities):
        raise _several(name, "probs.roots", value.roots)
    if isinstance(value, Mapping):
        raise _several(name, name, value)


def _several(name: str, holder: str, roots: Iterable[str]) -> VotesError:
    ways = [f"{holder}[{root!r}]" for root in roots]
    many = f"{len(ways)} trees" if ways else "an empty dict"
    return VotesError(f"{name} must be of one tree; got {many}. Pass {' or '.join(ways[:3]) or 'those of one'}.")
