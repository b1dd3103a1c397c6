"""Label models that need nothing of the records but how often each row of votes occurs."""

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any, Self

from metalwork._checks import FloatArray
from metalwork.errors import VotesError
from metalwork.inference import Packing
from metalwork.label_models._base import Dev, KnownLabels, LabelModel
from metalwork.label_models._counting import RowCounts
from metalwork.label_models._vote_counts import VoteCounts, count_votes, layout_of
from metalwork.votes import LabelMatrix


class CountingLabelModel(LabelModel):
    """A label model that learns from :class:`RowCounts`, so that votes may come matrix by matrix."""

    _counted: VoteCounts | None = None
    _counts: RowCounts | None = None
    _stale = False

    @abstractmethod
    def _fit_counts(self, counts: RowCounts, class_prior: FloatArray | None, dev: KnownLabels | None) -> None:
        """Set the fitted attributes; the arguments have been checked."""

    def partial_fit(self, votes: LabelMatrix) -> Self:
        """Count more votes of the same LFs; the next ``predict``, ``save`` or :meth:`refit` learns from all.

        Bit for bit what :meth:`fit` finds on all records at once, whatever their order and their chunks.
        ``fit`` starts counting anew. Counts stay out of ``save``.
        """
        self._check_votes(votes)
        if self._counted is None:
            self._know(votes)
        else:
            self._check_lfs(votes, "votes", "the LFs counted so far")
        self._keep_counts(count_votes(votes) if self._counted is None else self._counted.with_votes(votes))
        self._stale = True
        return self

    def fit_parts(self, parts: Iterable[LabelMatrix], class_prior: Any = None, dev: Dev | None = None) -> Self:
        """:meth:`fit` to label matrices that come one by one and need not fit in memory together.

        ``parts`` may be any iterable, such as :class:`VoteShards`; each part is counted and let go.
        """
        self._counted = self._counts = None
        for part in parts:
            self.partial_fit(part)
        return self.refit(class_prior, dev)

    def refit(self, class_prior: Any = None, dev: Dev | None = None) -> Self:
        """Learn from everything counted; arguments as in :meth:`fit`."""
        if self._counts is None or self._counts.n_points == 0:
            raise VotesError("votes must hold at least one record; got none.")
        self._learn(self._counts, self._check_prior(class_prior), self._check_dev(dev))
        return self

    def _fit(self, votes: LabelMatrix, class_prior: FloatArray | None, dev: KnownLabels | None) -> None:
        self._learn(self._keep_counts(count_votes(votes)), class_prior, dev)

    def _fit_counted(self, counts: VoteCounts, class_prior: FloatArray | None, dev: KnownLabels | None) -> None:
        self._learn(self._keep_counts(VoteCounts.merge([counts])), class_prior, dev)

    def _keep_counts(self, counts: VoteCounts) -> RowCounts:
        self._counted, self._counts = counts, counts._rows
        return self._counts

    def _learn(self, counts: RowCounts, class_prior: FloatArray | None, dev: KnownLabels | None) -> None:
        self._fit_counts(counts, class_prior, dev)
        self._stale = False

    def _check_fitted(self) -> None:
        super()._check_fitted()
        if self._stale:
            self.refit()

    def _layout(self, votes: LabelMatrix | VoteCounts | None = None) -> Packing:
        """How rows of votes become words; by default of those counted."""
        if votes is None and self._counts is not None:
            return self._counts.layout
        outcomes = self.lf_outcomes_ if votes is None else votes.outcomes
        return layout_of(self.schema, self.lf_names_, self.lf_tasks_, outcomes)
