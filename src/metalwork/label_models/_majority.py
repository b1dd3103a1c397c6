"""The paper's two untrained baselines (section 5, label model ablation)."""

from typing import Any

import numpy as np
import numpy.typing as npt

from metalwork._checks import FloatArray, check_choice
from metalwork.inference import END, Tree
from metalwork.label_models._base import LabelModel
from metalwork.label_models._loglinear import LogLinearLabelModel
from metalwork.schema import TaskSchema
from metalwork.votes import LabelMatrix


class MajorityVote(LabelModel):
    """Count votes; learn nothing.

    ``mode="hard"``: "Starting at the root task, we take the majority vote of the labeling functions at that
    task, and then proceed down the tree, breaking ties randomly" (a task without a vote is a tie of all its
    labels). Probabilities are 0 or 1. ``mode="soft"``: the posterior of the paper's label model at its fixed
    initial weights, "without training the model".

    Parameters
    ----------
    schema : TaskSchema
    mode : "hard" or "soft"
    random_state : int
        Breaks the ties of the hard vote: row ``i`` of the same matrix always falls the same way.
    """

    def __init__(self, schema: TaskSchema, mode: str = "hard", random_state: int = 0) -> None:
        self.schema = schema
        self.mode = mode
        self.random_state = random_state

    def _fit(self, votes: LabelMatrix, class_prior: FloatArray | None, dev: Any) -> None:
        check_choice("mode", self.mode, ("hard", "soft"))

    def _posterior(self, votes: LabelMatrix) -> FloatArray:
        if self.mode == "soft":
            model = LogLinearLabelModel(self.schema)
            return model.posterior(votes, model.initial_theta(votes.n_lfs))
        return np.eye(self.schema.n_end_labels)[self._hard_vote(votes)]

    def _hard_vote(self, votes: LabelMatrix) -> npt.NDArray[np.int64]:
        tree = Tree.of(self.schema)
        rng = np.random.default_rng(self.random_state)
        end = np.zeros(votes.n_points, np.int64)
        reached = [np.zeros(0, np.int64)] * len(tree.child)
        reached[0] = np.arange(votes.n_points)
        for t, task in enumerate(self.schema.tasks):
            rows = reached[t]
            codes = votes.codes[np.ix_(rows, votes.lfs_of(task))]
            tally = np.stack([(codes == c).sum(axis=1) for c in range(len(tree.child[t]))], axis=1)
            winner = (tally + rng.random(tally.shape)).argmax(axis=1)
            for c, below in enumerate(tree.child[t]):
                if below == END:
                    end[rows[winner == c]] = tree.first_leaf[t][c]
                else:
                    reached[below] = rows[winner == c]
        return end
