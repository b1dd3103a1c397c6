"""Votes: the label matrix, what its codes say, and what labeling functions vote on."""

from metalwork._public import offer
from metalwork.votes._alphabet import NO_VOTES, Alphabet
from metalwork.votes._feasible import FeasibleLabels
from metalwork.votes._forest import ForestProbabilities, TaskForest
from metalwork.votes._incidents import MOST_INCIDENTS, Incident
from metalwork.votes._matrix import LabelMatrix
from metalwork.votes._shards import VoteShards
from metalwork.votes._soft import MOST_LABELS_ON_GRID, soft_codes
from metalwork.votes._space import Space, read_space, votes_in
from metalwork.votes._sparse import SparseVotes

__all__ = [
    "MOST_INCIDENTS",
    "MOST_LABELS_ON_GRID",
    "NO_VOTES",
    "Alphabet",
    "FeasibleLabels",
    "ForestProbabilities",
    "Incident",
    "LabelMatrix",
    "Space",
    "SparseVotes",
    "TaskForest",
    "VoteShards",
    "read_space",
    "soft_codes",
    "votes_in",
]

offer(__name__, globals())
