"""What a fitted label model knows about itself, worked out on demand from the counts it was fitted to."""

from typing import NamedTuple

import numpy as np

from metalwork._checks import check_fraction
from metalwork.errors import NotFittedError
from metalwork.inference import CodedVotes, Floats, SuffStats, Tree, covered, left_out_agreement, shared_votes
from metalwork.label_models._counted import CountingLabelModel
from metalwork.label_models._diagnostics import Diagnosis, dependent, doubtful, groups_of
from metalwork.label_models._e_step import thinned
from metalwork.label_models._em import Priors
from metalwork.label_models._identifiable import never_compared
from metalwork.label_models._intervals import (
    Intervals,
    held_deviations,
    independent_deviations,
    intervals_of,
)
from metalwork.label_models._repetition import residuals_of_counts


class Learned(NamedTuple):
    """Priors and sufficient statistics of a fit, and what dev labels contradict in it."""

    priors: Priors
    stats: SuffStats
    contradictions: tuple[str, ...] = ()


class DiagnosedLabelModel(CountingLabelModel):
    """A label model fitted by EM that tells how sure its estimates are, and which LFs to look at."""

    _learned: Learned | None = None
    kind_: str
    accuracies_: Floats
    class_prior_: Floats
    correlation_: float
    tables_: list[Floats]
    log_prior_: list[Floats]

    def intervals(self, level: float = 0.95) -> Intervals:
        """Standard errors and intervals of every LF's accuracy and every end label's share.

        Of independent LFs these are confidence intervals, calibrated where LFs are independent given the
        label. Of others, whose estimates are held near their priors, they only say what the model
        believes: ``calibrated`` is False then, and ``note`` says so. Works on up to 20,000 distinct rows.

        Parameters
        ----------
        level : float in (0, 1)

        Raises
        ------
        NotFittedError
            Before ``fit``, and after loading, for counts stay out of ``save``.
        VotesError
            Of independent LFs, where a task has more than 5,000 LFs and labels.
        """
        check_fraction("level", level, "()")
        tree, votes, learned = self._evidence("intervals")
        if self.kind_ == "independent":
            found = independent_deviations(tree, votes, learned.stats, learned.priors)
        else:
            found = held_deviations(votes, learned.priors, learned.stats, self.accuracies_, self.class_prior_)
        accuracies = intervals_of(self.lf_names_, self.accuracies_, found.accuracies, level)
        shares = intervals_of(self.schema.end_labels, self.class_prior_, found.class_prior, level)
        return Intervals(level, found.calibrated, found.note, accuracies, shares)

    def diagnose(self) -> Diagnosis:
        """LFs that do no better than chance, LFs that vote alike, and tasks whose LFs cannot be compared.

        Needs no labels, so a doubtful LF may be the only one that is right. Of LFs with outcomes of their own only
        votes alike are looked at. Works on up to 20,000 records.

        Raises
        ------
        NotFittedError
            Before ``fit``, and after loading, for counts stay out of ``save``.
        """
        tree, votes, learned = self._evidence("diagnose")
        agreement = left_out_agreement(tree, votes, self.tables_, self.log_prior_)
        shared = self._shared_votes(tree, votes, learned)
        names = self.lf_names_
        doubts = doubtful(names, agreement, self.kind_ == "independent")
        alone = never_compared(tree, votes, self.schema.tasks) if learned.priors.dev_counts is None else ()
        return Diagnosis(doubts, dependent(names, shared), groups_of(names, shared), alone, learned.contradictions)

    def _shared_votes(self, tree: Tree, votes: CodedVotes, learned: Learned) -> Floats:
        if len(votes.weights) == 0:  # no record has a vote
            return np.zeros((votes.n_lfs, votes.n_lfs))
        return shared_votes(votes, residuals_of_counts(tree, votes, learned.stats, learned.priors))

    def _evidence(self, what: str) -> tuple[Tree, CodedVotes, Learned]:
        self._check_fitted()
        if self._counts is None or self._learned is None:
            raise NotFittedError(
                f"{what} needs the counts of the votes, which save leaves out; got a loaded model. "
                "Call fit(votes) again."
            )
        votes = thinned(self._counts.coded())
        votes = votes if self.kind_ == "independent" else covered(votes)
        return Tree.of(self.schema), votes, self._learned
