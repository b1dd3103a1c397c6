"""The paper's two untrained baselines (section 5, label model ablation)."""

from typing import Any

import numpy as np
import numpy.typing as npt

from metalwork._checks import ABSTAIN, BoolArray, FloatArray, check_choice, check_count
from metalwork.inference import END, Tree, end_posterior, pass_up
from metalwork.label_models._base import LabelModel
from metalwork.label_models._vote_counts import VoteCounts
from metalwork.schema import TaskSchema
from metalwork.votes import LabelMatrix

_TIE = 1e-9


class MajorityVote(LabelModel):
    """Count votes; learn nothing.

    Votes for sets of labels and soft votes count, too: a hard vote goes to the labels that it holds most, split
    evenly; a soft one weighs a label by how far it is held.

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
        self._check_arguments()

    def _check_arguments(self) -> None:
        check_choice("mode", self.mode, ("hard", "soft"))
        check_count("random_state", self.random_state, least=0)

    def _fit_counted(self, counts: VoteCounts, class_prior: FloatArray | None, dev: Any) -> None:
        self._fit(counts.rows()[0], class_prior, dev)

    def _posterior(self, votes: LabelMatrix) -> FloatArray:
        if self.mode == "soft":
            return soft_vote(votes)
        return np.eye(self.schema.n_end_labels)[self._hard_vote(votes)[0]]

    def _tied(self, votes: LabelMatrix, scores: FloatArray) -> BoolArray:
        return super()._tied(votes, scores) if self.mode == "soft" else self._hard_vote(votes)[1]

    def _hard_vote(self, votes: LabelMatrix) -> tuple[npt.NDArray[np.int64], BoolArray]:
        """The end label of each record (n_points,), and whether a tie was broken on its way (n_points,)."""
        tree = Tree.of(self.schema)
        rng = np.random.default_rng(self.random_state)
        end, tied = np.zeros(votes.n_points, np.int64), np.zeros(votes.n_points, dtype=bool)
        reached = [np.zeros(0, np.int64)] * len(tree.child)
        reached[0] = np.arange(votes.n_points)
        for t, task in enumerate(self.schema.tasks):
            rows = reached[t]
            lfs = votes.lfs_of(task).tolist()
            codes = votes.codes[np.ix_(rows, [lf for lf in lfs if votes.alphabets[lf].plain])]
            counts = [(codes == c).sum(axis=1) for c in range(len(tree.child[t]))]
            tally = np.stack(counts, axis=1).astype(np.float64)
            for lf in lfs:
                if not votes.alphabets[lf].plain:
                    tally += _ballots(votes.alphabets[lf].rows)[votes.codes[rows, lf]]
            most = tally >= tally.max(axis=1, keepdims=True) - _TIE
            tied[rows] |= most.sum(axis=1) > 1
            winner = np.where(most, rng.random(tally.shape), -1.0).argmax(axis=1)
            for c, below in enumerate(tree.child[t]):
                if below == END:
                    end[rows[winner == c]] = tree.first_leaf[t][c]
                else:
                    reached[below] = rows[winner == c]
        return end, tied


def soft_vote(votes: LabelMatrix) -> FloatArray:
    """The posterior of :class:`LogLinearLabelModel` untrained, labels counting +1 in a set, -1 outside it."""
    schema, potentials = votes.schema, []
    tree = Tree.of(schema)
    for task, k in zip(schema.tasks, schema.n_labels, strict=True):
        total = np.zeros((votes.n_points, k))
        for lf in votes.lfs_of(task):
            if votes.alphabets[lf].plain:  # without its rows, which are as many as labels squared
                voted = np.flatnonzero(votes.codes[:, lf] != ABSTAIN)
                total[voted] -= 1.0
                total[voted, votes.codes[voted, lf]] += 2.0
                continue
            says = np.nan_to_num(2.0 * votes.alphabets[lf].rows - 1.0)
            total += np.append(says[:, :-1] - says[:, -1:], np.zeros((1, k)), axis=0)[votes.codes[:, lf]]
        potentials.append(total)
    return end_posterior(tree, pass_up(tree, potentials).log_branch)


def _ballots(outcomes: FloatArray) -> FloatArray:
    """What each outcome adds to each label (n_outcomes + 1, n_labels); the last row, 0, is an abstain's (-1)."""
    held = np.nan_to_num(outcomes[:, :-1])
    most = held.max(axis=1, keepdims=True)
    ballots = np.where((held == most) & (most > 0), 1.0, 0.0)
    ballots /= np.maximum(ballots.sum(axis=1, keepdims=True), 1.0)
    return np.append(ballots, np.zeros((1, held.shape[1])), axis=0)
