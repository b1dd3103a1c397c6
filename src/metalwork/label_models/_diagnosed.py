"""What a fitted label model knows about itself, worked out on demand from the counts it was fitted to."""

from typing import TYPE_CHECKING, NamedTuple

from metalwork._checks import check_fraction
from metalwork.errors import NotFittedError, VotesError
from metalwork.inference import CodedVotes, Floats, SuffStats, Tree, covered, left_out_agreement
from metalwork.label_models._counted import CountingLabelModel
from metalwork.label_models._diagnostics import Diagnosis, dependent, doubtful, groups_of
from metalwork.label_models._e_step import thinned
from metalwork.label_models._em import Priors
from metalwork.label_models._identifiable import never_compared
from metalwork.label_models._intervals import (
    Intervals,
    beta_intervals,
    held_deviations,
    independent_deviations,
    intervals_of,
    rater_deviations,
)
from metalwork.label_models._raters import rater_confusion
from metalwork.label_models._repetition import repetition_of
from metalwork.schema import unknown_name
from metalwork.votes import Alphabet

if TYPE_CHECKING:
    import polars as pl


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
        elif self.kind_ == "raters":
            found = rater_deviations(tree, votes, learned.stats, learned.priors, self.tables_, self.log_prior_)
        else:
            found = held_deviations(votes, learned.priors, learned.stats, self.accuracies_, self.class_prior_)
        by_lf = beta_intervals if self.kind_ == "raters" else intervals_of
        accuracies = by_lf(self.lf_names_, self.accuracies_, found.accuracies, level)
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
        shared = repetition_of(covered(votes)).shared
        names = self.lf_names_
        doubts = doubtful(names, agreement, self.kind_ == "independent")
        alone = never_compared(tree, votes, self.schema.tasks) if learned.priors.dev_counts is None else ()
        return Diagnosis(doubts, dependent(names, shared), groups_of(names, shared), alone, learned.contradictions)

    def confusions(self, lf: str) -> "pl.DataFrame":
        """What an LF votes, by label: a row a label of its task, a column a vote, shares that sum to 1 in a row.

        Of the records with the label on which the LF votes, as estimated: few votes are shrunk to one accuracy of
        the LF, and that to the accuracy of all, by as much as the votes of all LFs ask for.

        Parameters
        ----------
        lf : str
            Its name, such as a worker's.

        Raises
        ------
        NotFittedError
            Before ``fit``, and after loading, for counts stay out of ``save``.
        VotesError
            For a name that is no LF, and for an LF that casts soft votes or whose task has too many labels.
        """
        import polars as pl

        _, votes, learned = self._evidence("confusions")
        if lf not in self.lf_names_:
            raise VotesError("confusions: " + unknown_name("LF", lf, self.lf_names_))
        j = self.lf_names_.index(lf)
        shares = rater_confusion(votes, learned.stats, learned.priors, j)
        if shares is None:
            raise VotesError(
                f"confusions need votes for labels or sets of labels, of few enough; got those of {lf!r}. "
                "See accuracies_."
            )
        labels = self.schema.labels(self.lf_tasks_[j])
        rows = self.lf_outcomes_.get(lf)
        said = labels if rows is None else [Alphabet(rows).name(code, labels) for code in range(len(rows))]
        columns = {vote: shares[:, code] for code, vote in enumerate(said)}
        return pl.DataFrame({"(label)": list(labels), **columns})

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
