"""The default label model."""

import logging
import warnings
from typing import ClassVar

import numpy as np
from scipy import sparse

from metalwork._checks import ABSTAIN, FloatArray, check_choice, check_positive
from metalwork.errors import MetalworkWarning
from metalwork.inference import (
    CodedVotes,
    EndPosteriors,
    Tree,
    code_votes,
    end_counts,
    end_posterior_of_keys,
    known_counts,
    weigh,
)
from metalwork.label_models._base import KnownLabels
from metalwork.label_models._calibration import by_task
from metalwork.label_models._constants import DISCOUNT, LEAST_LEFT, PRECISION, STRENGTH
from metalwork.label_models._contradiction import contradictions
from metalwork.label_models._counting import RowCounts
from metalwork.label_models._diagnosed import DiagnosedLabelModel, Learned
from metalwork.label_models._em import EMResult, Priors
from metalwork.label_models._fitting import Problem, calibrated, fit_kind, over_all, problem
from metalwork.label_models._identifiable import mirrored, not_learned, one_class, without_votes
from metalwork.label_models._lf_priors import Stated, in_votes_for_labels, lf_priors_of
from metalwork.label_models._monotone import bounded_by_votes
from metalwork.label_models._outcomes import branch_counts, outcomes_of, right_votes
from metalwork.label_models._raters import rater_accuracies
from metalwork.label_models._repetition import find_repetition, redundant_copies
from metalwork.label_models._stored import (
    Fitted,
    each,
    flag,
    log_shares,
    number,
    numbers,
    one_of,
    pair_of_lfs,
    tables,
    whole,
)
from metalwork.schema import TaskSchema
from metalwork.votes import LabelMatrix

_LOG = logging.getLogger(__name__)


class HierarchicalLabelModel(DiagnosedLabelModel):
    r"""The default label model: a mixture over end labels, one vote table an LF.

    .. math::
        p(y, \lambda) = p(y) \prod_j p(\lambda_j \mid y_{t(j)}), \qquad
        y_{t} \in \{1..k_t\} \cup \{\text{does not apply}\}

    Fitted by EM with weak priors, without labels, for LFs of three kinds:

    *Rules*: an abstain says nothing, and a vote what its LF's precision makes of it against the share of its
    label, which EM learns; LFs that vote on several labels have confusions. All are held the nearer to the prior
    the more LFs repeat each other. Robust: LFs written to complement each other are far from independent in
    *whether* they vote.
    *Raters*, such as crowd workers and language models: an abstain was not asked, and a vote says what the
    rater's confusions make of it, which are shrunk to one accuracy and that to the accuracy of all, by as much as
    the votes ask for.
    *Independent* LFs: each has a full table of votes and abstains by label and off-branch. Close to optimal where
    LFs are independent given the label, and harmful where they are not.

    ``kind="auto"`` takes LFs for raters where they vote for labels much alike, where whether they vote tells
    nothing of the label, and where the labels found foretell votes, each left out in turn, no worse than the
    majority of the others does. Fewer than 20, and other LFs, it takes for independent where pairs of them
    agree as that predicts (``dependence_``, the mean squared residual of joint votes, at most about what it is on
    votes drawn from the fitted model). Of LFs that copy one another only one speaks there. All others are rules.

    Then probabilities are calibrated: log odds of rules and raters are taken back, for votes on one record err
    together, and where the class prior or dev labels are given, the balance of labels is moved to where these have
    it.

    Cost: counting reads the matrix once; each EM step is linear in distinct rows times labels. Beyond 50,000
    distinct rows EM and the choice are made on a systematic sample of 50,000 records, and the fit is carried over
    to all rows in one pass over them or two.
    Distinct rows are counted in canonical order, so that neither the records' order nor their chunks change a bit.
    Beyond 128 MiB of distinct rows (8 million of up to 39 LFs with two labels) a fixed sample of them is kept.

    Parameters
    ----------
    schema : TaskSchema
    kind : "auto", "rules", "raters" or "independent"
        What the LFs are; see above.
    precision, strength : float, or dict of LF name to float
        Beta prior of each LF's precision: its mean in (0, 1), and its weight in votes. A dict says it for some LFs
        and leaves the others at the default; a strength of ``math.inf`` fixes the precision.
    off_branch_ratio : float in (0, 1]
        Prior mean of how much rarer an LF votes where its task does not apply.
    dev_weight : float
        How many records without a label a dev record counts for where LFs are rules, and so near their priors.
    max_iter, tol : int, float
        EM stops after ``max_iter`` steps; or when in three steps the log likelihood of a record moves less than
        ``tol``, and that of all records less than 0.0001 (independent LFs); or no log factor of a vote by 0.01
        (rules and raters). A sample of 50,000, from which EM goes on to all records, stops at ``tol`` and 0.05.
    random_state : int
        Kept for the common interface: nothing here is random.

    Attributes
    ----------
    class_prior_ : float array (n_end_labels,)
        The model's label distribution over the records it was fitted on.
    uncovered_ : float array (n_end_labels,)
        The distribution of a record without a vote.
    accuracies_ : float array (n_lfs,)
        Estimated share of each LF's votes that are right, among those where its task applies; of raters shrunk to
        that of all.
    off_branch_rates_ : float array (n_lfs,)
        Estimated share of each LF's votes that fall where its task does not apply.
    kind_ : "rules", "raters" or "independent"
        What the LFs were taken for.
    dependence_, dependence_limit_ : float
        The check of independence; NaN where it was not made, or the limit not needed.
    repeated_ : list of (str, str, float)
        Pairs of LFs of one task of which one copies the other, exactly or nearly, and how much (0.5 to 1).
    vote_weights_ : float array (n_lfs,) in [0, 1]
        For how much of a vote each LF's counts: 1 / (1 + how much it copies others). Of independent LFs 0
        where another LF speaks for it.
    correlation_ : float
        Typical correlation of two votes beyond what labels explain, copies left out; 0 or more.
    log_likelihoods_ : list of float
        Per record, at each EM step of independent LFs; else empty.
    converged_, n_iter_ : bool, int
    """

    _ready: tuple[tuple[object, ...], EndPosteriors] | None = None
    _fitted: ClassVar[Fitted] = {
        "accuracies_": numbers("n_lfs", least=0.0, most=1.0),
        "class_prior_": numbers("n_end_labels", least=0.0, total=1.0),
        "converged_": flag,
        "correlation_": number(least=0.0),
        "dependence_": number(may_be_nan=True),
        "dependence_limit_": number(may_be_nan=True),
        "kind_": one_of("rules", "raters", "independent"),
        "log_likelihoods_": each(number()),
        "log_prior_": log_shares,
        "n_iter_": whole,
        "off_branch_rates_": numbers("n_lfs", least=0.0, most=1.0),
        "repeated_": each(pair_of_lfs),
        "tables_": tables,
        "uncovered_": numbers("n_end_labels", least=0.0, total=1.0),
        "vote_weights_": numbers("n_lfs", least=0.0, most=1.0),
    }

    def __init__(
        self,
        schema: TaskSchema,
        kind: str = "auto",
        precision: Stated = PRECISION,
        strength: Stated = STRENGTH,
        off_branch_ratio: float = 0.3,
        dev_weight: float = 5.0,
        max_iter: int = 100,
        tol: float = 1e-6,
        random_state: int = 0,
    ) -> None:
        self.schema = schema
        self.kind = kind
        self.precision = precision
        self.strength = strength
        self.off_branch_ratio = off_branch_ratio
        self.dev_weight = dev_weight
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    def _fit_counts(self, counts: RowCounts, class_prior: FloatArray | None, dev: KnownLabels | None) -> None:
        self._check_arguments()
        tree, coded = Tree.of(self.schema), counts.coded()
        priors = self._priors(dev, coded)
        found = problem(tree, self._layout(), coded, counts.n_points, priors, int(self.max_iter), self.tol)
        found = found._replace(priors=self._with_repetition(found))
        choice = fit_kind(self.kind, found)
        self.kind_, (self.dependence_, self.dependence_limit_) = choice.kind, choice.check
        if self.kind_ == "independent":
            self.vote_weights_ = np.where(found.priors.redundant, 0.0, 1.0)
        fit, expect = over_all(found, choice)
        balance = None if dev is None else self._dev_balance(dev)
        fit = calibrated(self.kind_, found, fit, expect, class_prior, balance)
        self._keep(found, fit, class_prior)
        _LOG.info("%s (dependence %.2f)", self.kind_, self.dependence_)
        self._warn(found, fit, dev)

    def _dev_balance(self, dev: KnownLabels) -> list[FloatArray] | None:
        """Dev records with a vote, by label of each task; None where there are none."""
        rows = (dev[0].codes != ABSTAIN).any(axis=1)
        if not rows.any():
            return None
        known = known_counts(code_votes(self._layout(dev[0]), dev[0].codes[rows]), dev[1][rows], 1.0)
        return [records[:-1] for records in known.labels]

    def _warn(self, found: Problem, fit: EMResult, dev: KnownLabels | None) -> None:
        doubts = () if dev is None else contradictions(*dev, self._posterior(dev[0]))
        self._learned = Learned(found.priors, fit.stats, doubts)
        beyond_labels = {self.lf_tasks_[self.lf_names_.index(name)] for name in self.lf_outcomes_}
        cautions = [
            not_learned(found.sample, dev is not None),
            without_votes(found.tree, found.votes, self.schema.end_labels),
            mirrored(self.schema, fit.stats, beyond_labels) if dev is None else None,
            None if dev is None else one_class(self.schema.end_of(dev[1]), self.schema.end_labels),
            *doubts,
        ]
        for caution in filter(None, cautions):
            warnings.warn(caution, MetalworkWarning, stacklevel=6)

    def _with_repetition(self, found: Problem) -> Priors:
        priors, voted_on = found.priors, found.sample_voted_on
        repetition = find_repetition(found.tree, voted_on, priors)
        self.vote_weights_, self.correlation_ = repetition.weights, repetition.correlation
        upper = sparse.triu(repetition.copied, 1).tocoo()
        pairs = sorted(zip(*(part.tolist() for part in (*upper.coords, upper.data)), strict=True))
        self.repeated_ = [(self.lf_names_[i], self.lf_names_[j], share) for i, j, share in pairs]
        return priors._replace(
            lfs=priors.lfs._replace(share=DISCOUNT * repetition.correlation),
            redundant=redundant_copies(voted_on, repetition.copied),
            weights=repetition.weights,
        )

    def _check_arguments(self) -> None:
        lf_priors_of(self.lf_names_, self.precision, self.strength, self.off_branch_ratio)
        check_choice("kind", self.kind, ("auto", "rules", "raters", "independent"))
        for name in ("off_branch_ratio", "dev_weight", "max_iter", "tol"):
            check_positive(name, getattr(self, name))

    def _priors(self, dev: KnownLabels | None, votes: CodedVotes) -> Priors:
        tree, n_end = Tree.of(self.schema), self.schema.n_end_labels
        known = None
        if dev is not None:
            dev_votes = code_votes(self._layout(dev[0]), dev[0].codes)
            known = known_counts(dev_votes, dev[1], 1.0)
        shares, applies = by_task(tree, np.full(n_end, 1.0 / n_end))
        log_share = [np.log(share) for share in shares]
        outcomes = [
            outcomes_of(task, log_share[t][None], applies[t : t + 1]) for t, task in enumerate(votes.tasks)
        ]
        stated = lf_priors_of(self.lf_names_, self.precision, self.strength, self.off_branch_ratio)
        lf_priors, none = in_votes_for_labels(stated, votes, outcomes), np.zeros(votes.n_lfs, dtype=bool)
        return Priors(log_share, applies, outcomes, lf_priors, known, self.dev_weight, none, np.ones(votes.n_lfs))

    def _uncovered(self, found: Problem, fit: EMResult, class_prior: FloatArray | None) -> FloatArray:
        """P(end label) of a record without a vote, where that says nothing.

        A given class prior is of all records, so it is what the others left over. Else the others are the only
        witness: half their labels, half a uniform distribution, as not all records are like those with a vote. No
        label is surer than one vote for it makes it.
        """
        counts = end_counts(found.tree, fit.stats)
        if class_prior is not None:
            left = np.maximum(class_prior - counts / found.votes.weights.sum(), LEAST_LEFT * class_prior)
        else:
            left = 1.0 / len(counts) + counts / max(float(counts.sum()), 1e-9)
        return bounded_by_votes(left / left.sum(), found.tree, fit.tables, found.priors.outcomes, fit.log_prior)

    def _of_silence(self, found: Problem, fit: EMResult) -> FloatArray:
        """P(end label) of a record without a vote, where LFs are independent and that says something."""
        votes = found.votes
        weights = weigh(found.tree, votes.tasks, votes.groups, fit.tables, fit.log_prior)
        return end_posterior_of_keys(found.tree, weights, [np.zeros(1, np.intp)] * len(votes.groups))[:, 0]

    def _keep(self, found: Problem, fit: EMResult, class_prior: FloatArray | None) -> None:
        silence = self.kind_ == "independent"
        self.uncovered_ = self._of_silence(found, fit) if silence else self._uncovered(found, fit, class_prior)
        self.tables_, self.log_prior_, self.log_likelihoods_ = fit.tables, fit.log_prior, fit.log_likelihoods
        self.converged_, self.n_iter_ = fit.converged, fit.n_iter
        counts = end_counts(found.tree, fit.stats)
        if not silence:
            counts = counts + self.uncovered_ * max(float(found.votes.weights.sum() - counts.sum()), 0.0)
        self.class_prior_ = counts / counts.sum()
        self.accuracies_, self.off_branch_rates_ = np.empty(found.votes.n_lfs), np.empty(found.votes.n_lfs)
        for t, task in enumerate(found.votes.tasks):
            counted, outcomes = fit.stats.votes[t], found.priors.outcomes[t]
            on, off, _, _ = branch_counts(task.outcomes, counted, fit.stats.labels[t])
            self.accuracies_[task.lfs] = (right_votes(outcomes, counted) + 1e-9 * PRECISION) / (on + 1e-9)
            self.off_branch_rates_[task.lfs] = off / np.maximum(on + off, 1e-9)
        if self.kind_ == "raters":
            shrunk, n_votes = rater_accuracies(found.votes, fit.stats, found.priors)
            self.accuracies_ = np.where(n_votes > 0, shrunk, self.accuracies_)

    def _posterior(self, votes: LabelMatrix) -> FloatArray:
        unvoted = None if self.kind_ == "independent" else self.uncovered_
        return self._end_posteriors(votes).of(votes.codes, self.tables_, self.log_prior_, unvoted)

    def _end_posteriors(self, votes: LabelMatrix) -> EndPosteriors:
        """Kept between calls, as votes may come in many parts."""
        lfs = (votes.names, votes.tasks, votes.alphabets)
        if self._ready is None or self._ready[0] != lfs:
            self._ready = lfs, EndPosteriors(Tree.of(self.schema), self._layout(votes))
        return self._ready[1]
