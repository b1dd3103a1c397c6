"""The default label model."""

import logging
import warnings
from typing import ClassVar

import numpy as np

from metalwork._checks import FloatArray, check_choice, check_positive
from metalwork.errors import MetalworkWarning, VotesError
from metalwork.inference import (
    CodedVotes,
    EndPosteriors,
    Tree,
    code_votes,
    covered,
    end_counts,
    end_posterior,
    end_posterior_of_keys,
    key_blocks,
    known_counts,
    named_labels,
    supported_labels,
    weigh,
)
from metalwork.label_models._base import KnownLabels
from metalwork.label_models._constants import (
    HOPELESS,
    LEAST_EVIDENCE,
    LEAST_LEFT,
    LEAST_POOLING,
    MOST_DEPENDENCE,
    MOST_HALVED,
    PRECISION,
    STRENGTH,
)
from metalwork.label_models._contradiction import contradictions
from metalwork.label_models._counting import RowCounts
from metalwork.label_models._diagnosed import DiagnosedLabelModel, Learned
from metalwork.label_models._e_step import EM_ROWS, e_step, thinned
from metalwork.label_models._em import STEPS_OVER_ALL, BranchPrior, EMResult, Priors, Stopping
from metalwork.label_models._fit_generative import carry_over, fit_generative, with_pooling
from metalwork.label_models._fit_votes_only import fit_votes_only
from metalwork.label_models._identifiable import not_learned, one_class, without_votes
from metalwork.label_models._independence import dependence, evidence, most_dependence
from metalwork.label_models._lf_priors import Stated, in_votes_for_labels, lf_priors_of
from metalwork.label_models._monotone import bounded_by_votes, monotone_tables
from metalwork.label_models._outcomes import branch_counts, outcomes_of, right_votes
from metalwork.label_models._repetition import Repetition, find_repetition, redundant_copies
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
_MOST_CELLS = (
    1 << 27
)  # LFs times labels times outcomes of a task: a table of 1 GiB, of which a fit holds some four
_CLOSE = 1e-4
_FIRST_STEPS = 10
_LEAST_HALVED = 20
_BLOCK_CELLS = 1 << 20
_LEAST_ROWS, _MOST_ROWS = 1 << 8, 1 << 15


class HierarchicalLabelModel(DiagnosedLabelModel):
    r"""The default label model: a mixture over end labels, normalised, one vote table an LF.

    .. math::
        p(y, \lambda) = p(y) \prod_j p(\lambda_j \mid y_{t(j)}), \qquad
        y_{t} \in \{1..k_t\} \cup \{\text{does not apply}\}

    Fitted by EM with weak priors, without labels, in two readings of the votes:

    *Votes only*: an abstain says nothing; each LF has one precision, or confusions where it votes on several
    labels, held the nearer to the prior the more LFs repeat each other, and one ratio for how much rarer it votes
    where its task does not apply; the class prior is given or uniform, and the labels stay near the balance that
    the first E-step found, blended with the dev labels'. Robust: LFs written to complement each other are far
    from independent in *whether* they vote.
    *Generative*: each LF has a full table of votes and abstains by label and off-branch; the class prior is
    learned. Close to optimal where LFs are independent given the label, and harmful where they are not.

    ``abstains="auto"`` fits both and uses the generative one only where pairs of LFs agree as it predicts
    (``dependence_``, the mean squared residual of joint votes, at most about what it is on votes drawn from the
    fitted model). Of LFs that copy one another only one speaks there.

    Cost: counting reads the matrix once; each EM step is linear in distinct rows times labels. Beyond 50,000
    distinct rows both fits and the choice are made on a systematic sample of 50,000 records. From there the
    reading chosen is fitted to all rows: votes only in 30 steps at most, the generative one mostly in two or
    three.
    Distinct rows are counted in canonical order, so that neither the records' order nor their chunks change a bit.
    Beyond 128 MiB of distinct rows (8 million of up to 39 LFs with two labels) a fixed sample of them is kept.

    Parameters
    ----------
    schema : TaskSchema
    abstains : "auto", "ignored" or "informative"
        Which reading; see above.
    precision, strength : float, or dict of LF name to float
        Beta prior of each LF's precision: its mean in (0, 1), and its weight in votes. A dict says it for some LFs
        and leaves the others at the default; a strength of ``math.inf`` fixes the precision.
    off_branch_ratio : float in (0, 1]
        Prior mean of how much rarer an LF votes where its task does not apply.
    dev_weight : float
        How many records without a label a dev record counts for.
    unvoted : "exclude" or "allow"
        Whether ``predict`` may choose a label that no LF voted for on a record on which some LF voted.
    max_iter, tol : int, float
        EM stops after ``max_iter`` steps; or when in three steps the log likelihood of a record moves less than
        ``tol``, and that of all records, or of the sample of 50,000, less than 0.0001 (generative); or no
        precision or ratio by 0.0001 (votes only).
    random_state : int
        Kept for the common interface: nothing here is random.

    Attributes
    ----------
    class_prior_ : float array (n_end_labels,)
        The model's label distribution over the records it was fitted on.
    uncovered_ : float array (n_end_labels,)
        The distribution of a record without a vote.
    accuracies_ : float array (n_lfs,)
        Estimated share of each LF's votes that are right, among those where its task applies.
    off_branch_rates_ : float array (n_lfs,)
        Estimated share of each LF's votes that fall where its task does not apply.
    abstains_ : "ignored" or "informative"
        The reading in use.
    dependence_, dependence_limit_ : float
        The check that chose the reading; NaN where it was not made, or the limit not needed.
    repeated_ : list of (str, str, float)
        Pairs of LFs of one task of which one copies the other, exactly or nearly, and how much (0.5 to 1).
    vote_weights_ : float array (n_lfs,) in [0, 1]
        For how much of a vote each LF's counts: 1 / (1 + how much it copies others). In the generative reading 0
        where another LF speaks for it.
    correlation_ : float
        Typical correlation of two votes beyond what labels explain, copies left out; 0 or more.
    log_likelihoods_ : list of float
        Per record, at each EM step of the generative reading; empty where votes only are in use.
    converged_, n_iter_ : bool, int
    """

    _ready: tuple[tuple[object, ...], EndPosteriors] | None = None
    _fitted: ClassVar[Fitted] = {
        "abstains_": one_of("ignored", "informative"),
        "accuracies_": numbers("n_lfs", least=0.0, most=1.0),
        "class_prior_": numbers("n_end_labels", least=0.0, total=1.0),
        "converged_": flag,
        "correlation_": number(least=0.0),
        "dependence_": number(may_be_nan=True),
        "dependence_limit_": number(may_be_nan=True),
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
        abstains: str = "auto",
        precision: Stated = PRECISION,
        strength: Stated = STRENGTH,
        off_branch_ratio: float = 0.3,
        dev_weight: float = 5.0,
        unvoted: str = "exclude",
        max_iter: int = 100,
        tol: float = 1e-6,
        random_state: int = 0,
    ) -> None:
        self.schema = schema
        self.abstains = abstains
        self.precision = precision
        self.strength = strength
        self.off_branch_ratio = off_branch_ratio
        self.dev_weight = dev_weight
        self.unvoted = unvoted
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    def _fit_counts(self, counts: RowCounts, class_prior: FloatArray | None, dev: KnownLabels | None) -> None:
        self._check_arguments()
        self._check_size()
        tree = Tree.of(self.schema)
        coded = counts.coded()
        sample = thinned(coded)
        n_fitted = counts.n_points if sample is coded else EM_ROWS
        tol = min(self.tol, _CLOSE / n_fitted)
        priors, stopping = self._priors(class_prior, dev, coded), Stopping(int(self.max_iter), tol)
        self.dependence_ = self.dependence_limit_ = float("nan")
        voted_on = covered(sample)
        repetition = self._repetition(tree, voted_on, priors)
        priors = priors._replace(redundant=redundant_copies(voted_on, repetition.copied))
        fit = fit_votes_only(tree, voted_on, priors, stopping, repetition)
        found = (
            None if self.abstains == "ignored" else self._generative(tree, sample, fit, priors, stopping, n_fitted)
        )
        if found is None:
            if sample is not coded:
                few_steps = stopping.at_most(STEPS_OVER_ALL)
                voted_on = covered(coded)
                fit = fit_votes_only(
                    tree, voted_on, priors, few_steps, self._repetition(tree, voted_on, priors), fit
                )
            self.abstains_, self.uncovered_ = "ignored", self._uncovered(tree, coded, fit, priors)
        else:
            generative, priors = found
            if sample is not coded:
                generative = carry_over(tree, coded, sample, generative, priors, stopping)
            fit = generative._replace(tables=monotone_tables(generative.tables, priors.outcomes))
            self.abstains_, self.uncovered_ = "informative", self._of_silence(tree, coded, fit)
            self.vote_weights_ = np.where(priors.redundant, 0.0, 1.0)
        self.log_likelihoods_ = fit.log_likelihoods
        _LOG.info("abstains %s (dependence %.2f)", self.abstains_, self.dependence_)
        self._keep(tree, coded, fit, priors)
        doubts = () if dev is None else contradictions(*dev, self._posterior(dev[0]))
        self._learned = Learned(priors, fit.stats, doubts)
        cautions = [not_learned(sample, dev is not None), without_votes(tree, coded, self.schema.end_labels)]
        cautions += [
            None if dev is None else one_class(self.schema.end_of(dev[1]), self.schema.end_labels),
            *doubts,
        ]
        for caution in filter(None, cautions):
            warnings.warn(caution, MetalworkWarning, stacklevel=5)

    def _generative(
        self, tree: Tree, votes: CodedVotes, initial: EMResult, priors: Priors, stopping: Stopping, n_fitted: int
    ) -> tuple[EMResult, Priors] | None:
        """The generative reading from the beliefs of the other, and the priors with the pooling that it took.

        None where LFs do not pass for independent, or hardly agree more than by chance.
        """
        sure = self.abstains == "informative"
        expect = e_step(tree, votes)
        few_steps = stopping.at_most(_FIRST_STEPS)
        fit = fit_generative(expect, votes, initial, priors, few_steps)
        self.dependence_ = dependence(tree, votes, fit, priors)
        if not sure and self.dependence_ > HOPELESS * MOST_DEPENDENCE:
            return None
        if n_fitted >= _LEAST_HALVED and n_fitted * tree.n_end_labels <= MOST_HALVED:
            priors = with_pooling(tree, votes, fit, priors, stopping)
            if priors.pooling > LEAST_POOLING:
                fit = fit._replace(log_likelihoods=[], converged=False, n_iter=0)
        if not fit.converged and fit.n_iter < stopping.max_iter:
            fit = fit_generative(expect, votes, fit, priors, stopping)
            self.dependence_ = dependence(tree, votes, fit, priors)
        if sure:
            return fit, priors
        enough = evidence(tree, votes, fit, priors, n_fitted) >= LEAST_EVIDENCE
        if enough and self.dependence_ <= MOST_DEPENDENCE:
            self.dependence_limit_ = most_dependence(tree, votes, self._layout(), fit, priors, n_fitted)
        return (fit, priors) if self.dependence_ <= self.dependence_limit_ else None

    def _repetition(self, tree: Tree, voted_on: CodedVotes, priors: Priors) -> Repetition:
        repetition = find_repetition(tree, voted_on, priors)
        self.vote_weights_, self.correlation_ = repetition.weights, repetition.correlation
        self.repeated_ = [
            (self.lf_names_[i], self.lf_names_[j], float(repetition.copied[i, j]))
            for i, j in np.argwhere(np.triu(repetition.copied) > 0)
        ]
        return repetition

    def _check_arguments(self) -> None:
        lf_priors_of(self.lf_names_, self.precision, self.strength, self.off_branch_ratio)
        check_choice("abstains", self.abstains, ("auto", "ignored", "informative"))
        check_choice("unvoted", self.unvoted, ("exclude", "allow"))
        for name in ("off_branch_ratio", "dev_weight", "max_iter", "tol"):
            check_positive(name, getattr(self, name))

    def _check_size(self) -> None:
        """A table has a number for each label and outcome of each LF: too many labels are named, not run into."""
        for task, k in zip(self.schema.tasks, self.schema.n_labels, strict=True):
            lfs = [name for name, own in zip(self.lf_names_, self.lf_tasks_, strict=True) if own == task]
            widest = max((len(self.lf_outcomes_.get(name, range(k))) for name in lfs), default=0)
            if len(lfs) * (k + 1) * widest > _MOST_CELLS:
                raise VotesError(
                    f"LFs times labels times outcomes must be at most {_MOST_CELLS:,} a task; got {len(lfs):,} x "
                    f"{k + 1:,} x {widest:,} for {task!r}. Group its labels under tasks of their own, or use "
                    "MajorityVote."
                )

    def _priors(self, class_prior: FloatArray | None, dev: KnownLabels | None, votes: CodedVotes) -> Priors:
        n_end = self.schema.n_end_labels
        known = None
        if dev is not None:
            dev_votes = code_votes(self._layout(), dev[0].codes)
            known = known_counts(dev_votes, dev[1], self.dev_weight)
        uniform = self._by_task(np.full(n_end, 1.0 / n_end))
        prior = uniform if class_prior is None else self._by_task(class_prior)
        outcomes = [outcomes_of(*task) for task in zip(votes.tasks, *uniform, strict=True)]
        stated = lf_priors_of(self.lf_names_, self.precision, self.strength, self.off_branch_ratio)
        lf_priors, none = in_votes_for_labels(stated, votes, outcomes), np.zeros(votes.n_lfs, dtype=bool)
        given, weight = class_prior is not None, self.dev_weight
        return Priors(uniform, prior, given, known, weight, lf_priors, outcomes, none, LEAST_POOLING)

    def _by_task(self, prior: FloatArray) -> BranchPrior:
        floored = np.maximum(prior, 1e-9)
        spans = [self.schema.spans(task) for task in self.schema.tasks]
        mass = [np.array([floored[start:stop].sum() for start, stop in span]) for span in spans]
        return BranchPrior([np.log(part / part.sum()) for part in mass], np.array([part.sum() for part in mass]))

    def _uncovered(self, tree: Tree, coded: CodedVotes, fit: EMResult, priors: Priors) -> FloatArray:
        """P(end label) of a record without a vote.

        A given class prior is of all records, so it is what the others left over. Else the others are the only
        witness: half their labels, half a uniform distribution, as not all records are like those with a vote.
        """
        prior = end_posterior(tree, [share[None, :] for share in priors.class_prior.log_share])[0]
        counts = end_counts(tree, fit.stats)
        if priors.class_prior_given:
            left = np.maximum(prior - counts / coded.weights.sum(), LEAST_LEFT * prior)
        else:
            left = prior + counts / max(float(counts.sum()), 1e-9)
        return bounded_by_votes(left / left.sum(), tree, fit.tables, priors.outcomes, fit.log_prior)

    def _of_silence(self, tree: Tree, coded: CodedVotes, fit: EMResult) -> FloatArray:
        """P(end label) of a record without a vote, in the generative reading."""
        weights = weigh(tree, coded.tasks, coded.groups, fit.tables, fit.log_prior)
        return end_posterior_of_keys(tree, weights, [np.zeros(1, np.intp)] * len(coded.groups))[:, 0]

    def _keep(self, tree: Tree, coded: CodedVotes, fit: EMResult, priors: Priors) -> None:
        self.tables_, self.log_prior_ = fit.tables, fit.log_prior
        self.converged_, self.n_iter_ = fit.converged, fit.n_iter
        counts = end_counts(tree, fit.stats)
        if self.abstains_ == "ignored":
            counts = counts + self.uncovered_ * max(float(coded.weights.sum() - counts.sum()), 0.0)
        self.class_prior_ = counts / counts.sum()
        self.accuracies_, self.off_branch_rates_ = np.empty(coded.n_lfs), np.empty(coded.n_lfs)
        for t, task in enumerate(coded.tasks):
            counted, outcomes = fit.stats.votes[t], priors.outcomes[t]
            on, off, _, _ = branch_counts(outcomes, counted, fit.stats.labels[t])
            self.accuracies_[task.lfs] = (right_votes(outcomes, counted) + 1e-9 * PRECISION) / (on + 1e-9)
            self.off_branch_rates_[task.lfs] = off / np.maximum(on + off, 1e-9)

    def _scores(self, votes: LabelMatrix, posterior: FloatArray) -> FloatArray:
        """The posterior, without labels that no LF voted for where some LF voted."""
        if self.unvoted == "allow":
            return posterior
        layout, tree = self._layout(), Tree.of(self.schema)
        named = named_labels(layout)
        for rows, keys in key_blocks(votes.codes, layout, self._block_rows(tree)):
            voted = supported_labels(tree, layout.groups, named, [key.astype(np.intp) for key in keys]).T
            posterior[rows][~voted & voted.any(axis=1, keepdims=True)] = -1.0
        return posterior

    def _block_rows(self, tree: Tree) -> int:
        return max(_LEAST_ROWS, min(_MOST_ROWS, _BLOCK_CELLS // tree.n_end_labels))

    def _posterior(self, votes: LabelMatrix) -> FloatArray:
        posterior = self._end_posteriors().of(votes.codes, self.tables_, self.log_prior_)
        if self.abstains_ == "ignored":
            posterior[(votes.codes < 0).all(axis=1)] = self.uncovered_
        return posterior

    def _end_posteriors(self) -> EndPosteriors:
        """Kept between calls, as votes may come in many parts."""
        lfs = (self.lf_names_, self.lf_tasks_, self.lf_outcomes_)
        if self._ready is None or any(own is not known for own, known in zip(lfs, self._ready[0], strict=True)):
            self._ready = lfs, EndPosteriors(Tree.of(self.schema), self._layout())
        return self._ready[1]
