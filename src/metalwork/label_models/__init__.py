"""Label models: from a label matrix to probabilistic labels."""

from metalwork._public import offer
from metalwork.label_models._base import LabelModel, VoteEffect, load_label_model
from metalwork.label_models._diagnostics import Dependence, Diagnosis, Doubt
from metalwork.label_models._feature_aware import FeatureAwareLabelModel
from metalwork.label_models._forest import ForestLabelModel
from metalwork.label_models._hierarchical import HierarchicalLabelModel
from metalwork.label_models._intervals import Interval, Intervals
from metalwork.label_models._loglinear import LogLinearLabelModel
from metalwork.label_models._majority import MajorityVote
from metalwork.label_models._repetition import repetition
from metalwork.label_models._shards import label_shards
from metalwork.label_models._vote_counts import VoteCounts, count_votes
from metalwork.votes import SparseVotes, VoteShards

__all__ = [
    "Dependence",
    "Diagnosis",
    "Doubt",
    "FeatureAwareLabelModel",
    "ForestLabelModel",
    "HierarchicalLabelModel",
    "Interval",
    "Intervals",
    "LabelModel",
    "LogLinearLabelModel",
    "MajorityVote",
    "SparseVotes",
    "VoteCounts",
    "VoteEffect",
    "VoteShards",
    "count_votes",
    "label_shards",
    "load_label_model",
    "repetition",
]

offer(__name__, globals())
