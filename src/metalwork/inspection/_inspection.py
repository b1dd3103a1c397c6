"""Questions over a run: which records, and what is said of them."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final

import numpy as np

from metalwork._checks import FloatArray, check_choice, check_count
from metalwork.errors import ConfigError
from metalwork.features import Featurizer
from metalwork.inspection._facts import SplitFacts, needs_step
from metalwork.inspection._label_cards import LabelCard, label_cards
from metalwork.inspection._lf_cards import LFCard, lf_cards
from metalwork.inspection._lf_pairs import LFPairs, lf_pairs
from metalwork.inspection._near import Neighbours
from metalwork.inspection._query import Query
from metalwork.inspection._reading import RecordReader
from metalwork.inspection._record import InspectedRecord, RecordPage
from metalwork.inspection._select import Score, choose, columns_of, matching, names_of, order_of
from metalwork.inspection._split import Rows, SplitData
from metalwork.inspection._without import Relabel, WithoutLF, without_lf
from metalwork.label_models import LabelModel
from metalwork.labeling import LabelingFunction
from metalwork.schema import TaskSchema, unknown_name
from metalwork.votes import Space

_SPLITS: Final = ("train", "dev")
_KEPT: Final = 32

Answer = tuple[Rows, Rows, FloatArray | None]
"""Positions of splits, rows in these, and scores where there is an order."""


class Inspection:
    """One engine of questions over a run's records, votes and models; ``run.inspection`` makes it.

    It sees train and dev, never test. Answers come from a few numbers a record that are worked out once; of the
    records themselves only those shown are read.

    Parameters
    ----------
    space : TaskSchema or FeasibleLabels
        What labeling functions vote on.
    lfs : sequence of LabelingFunction
    splits : mapping of "train" and "dev" to SplitData
    fields : tuple of str
        The columns that are shown and searched.
    label_model : LabelModel, optional
        The fitted one.
    featurizer : Featurizer, optional
        What tells how near records are to each other; not fitted.
    relabel : callable, optional
        From the LFs that are kept, by position, to the labels of each split, in parts, by a label model fitted to
        them.
    """

    def __init__(
        self,
        space: Space,
        lfs: Sequence[LabelingFunction],
        splits: Mapping[str, SplitData],
        fields: tuple[str, ...],
        label_model: LabelModel | None = None,
        featurizer: Featurizer | None = None,
        relabel: Relabel | None = None,
    ) -> None:
        self.schema: TaskSchema = space.schema
        self.lfs, self.fields, self.label_model = tuple(lfs), fields, label_model
        for name in splits:
            check_choice("split", name, _SPLITS)
        self._facts = {name: SplitFacts(name, data, self.schema, fields) for name, data in splits.items()}
        by_column = {column: lf for lf in lfs for column, _ in lf.columns(space.tasks)}
        self._reader = RecordReader(self.schema, by_column, fields, label_model)
        self._featurizer, self._relabel = featurizer, relabel
        self._by_column = by_column
        self._pairs: dict[str | None, LFPairs] = {}
        self._without: dict[str, WithoutLF] = {}
        self._answers: OrderedDict[Query, Answer] = OrderedDict()

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that are inspected: train, and dev where there is one."""
        return tuple(self._facts)

    def data(self, split: str) -> SplitData:
        """What the inspection was given of a split."""
        return self._of(split).data

    def n_points(self, split: str) -> int:
        """Number of records of a split."""
        return self._of(split).n_points

    def records(
        self,
        *,
        split: str | None = None,
        lf: str | Sequence[str] | None = None,
        vote: str | None = None,
        wrong: bool = False,
        right: bool = False,
        conflict: bool | tuple[str, str] = False,
        uncovered: bool = False,
        tied: bool = False,
        uncertain: bool = False,
        differ: bool = False,
        network_wrong: bool = False,
        suspect: bool = False,
        near: tuple[str, int] | None = None,
        task: str | None = None,
        label: str | None = None,
        known: str | bool | None = None,
        search: str | None = None,
        offset: int = 0,
        limit: int = 20,
    ) -> RecordPage:
        """The records of which all that is asked holds, a page of them.

        Parameters
        ----------
        split : {"train", "dev"}, optional
            Both by default, train first.
        lf : str or sequence of str, optional
            Labeling functions by name, or by how one name alone begins: records on which each of them votes.
        vote : str, optional
            What they vote, as ``votes.vote_name`` says it; of any LF where none is named.
        wrong, right : bool
            An LF, of those named, votes wrongly or rightly on a record whose label is known.
        conflict : bool or (str, str)
            A vote, of the LFs named, admits no end label that another LF's vote admits; or those of these two LFs.
        uncovered : bool
            No LF votes.
        tied : bool
            The votes leave several end labels equally probable.
        uncertain : bool
            The smallest margin between the label model's two most probable labels first.
        differ : bool
            Label model and end model say different labels; where both are surest first.
        network_wrong : bool
            The label model has the known end label, the end model another.
        suspect : bool
            A known end label may be wrong: label model and end model together are as sure of another label as they
            usually are of records that are known to have that one (confident learning). The most suspect first.
        near : (split, row), optional
            The records most like this one first: by TF-IDF of the text, or by what else the end model reads.
        task : str, optional
            Look at the LFs of this task alone and, of models, at its labels. By itself: one of its LFs votes.
        label : str, optional
            The label model's label, by name or path: an end label, or an inner one for all under it. As other
            questions about the label model, it leaves out records of which it has nothing to go by.
        known : str or bool, optional
            The known label, likewise; True and False: whether anything is known.
        search : str, optional
            A regular expression, in any case, that a text matches.
        offset, limit : int
            Which of the answers.

        Raises
        ------
        ConfigError
            For a name that is none, and for a question that needs a step which is not done.
        """
        asked = dict(locals())
        offset, limit = (
            check_count("offset", asked.pop("offset"), least=0),
            check_count("limit", asked.pop("limit")),
        )
        asked.pop("self")
        query = Query.of(self.splits, self.schema, self._names, asked)
        splits, rows, scores = self._answer(query)
        page = slice(offset, offset + limit)
        own = None if scores is None else scores[page]
        return RecordPage(len(rows), offset, tuple(self._read(splits[page], rows[page], own, query.search)), query)

    def record(self, split: str, row: int) -> InspectedRecord:
        """One record, with all that LFs found in it: also what is negated, of LFs that abstain.

        Raises
        ------
        ConfigError
            For a split or row that is not there.
        """
        self._check_row("row", split, row)
        return self._reader.read(self._of(split), np.array([row]), silent=True)[0]

    def _check_row(self, what: str, split: str, row: int) -> None:
        n_points = self._of(split).n_points
        if not 0 <= check_count(what, row, least=0) < n_points:
            raise ConfigError(f"{what} must be from 0 to {n_points - 1} in the {split} records; got {row}.")

    def vote_counts(self, split: str) -> tuple[int, ...]:
        """How many records of a split have no vote, one, two, and so on."""
        return tuple(np.bincount(self._of(split).votes.n_votes).tolist())

    def lf_cards(self, task: str | None = None) -> list[LFCard]:
        """What each labeling function does and how far to trust it; of one task, or all."""
        cards = self._lf_cards
        return cards if task is None else [card for card in cards if card.task == self._task(task)]

    def lf_pairs(self, task: str | None = None) -> LFPairs:
        """How often labeling functions vote together and conflict on train, and how far they repeat each other."""
        if task not in self._pairs:
            like = self._train.votes.like
            lfs = np.arange(like.n_lfs) if task is None else like.lfs_of(self._task(task))
            self._pairs[task] = lf_pairs(self._train, lfs)
        return self._pairs[task]

    def without(self, lf: str) -> WithoutLF:
        """What dropping a labeling function would change: the label model is fitted again without it.

        Raises
        ------
        ConfigError
            For a name that is no labeling function, for the only one, and before ``fit``.
        """
        if lf not in self._names:
            raise ConfigError(f"lf: {unknown_name('labeling function', lf, self._names)}")
        if self._relabel is None:
            raise needs_step("fit", "without")
        columns = columns_of(self._train.votes, lf)
        if len(columns) == self._train.votes.like.n_lfs:
            raise ConfigError(f"without must leave a labeling function; {lf!r} is the only one. Write another.")
        if lf not in self._without:
            self._without[lf] = without_lf(lf, columns, self._facts, self._relabel)
        return self._without[lf]

    def label_cards(self) -> list[LabelCard]:
        """What stands behind each end label: labeling functions, coverage, scores, and what is missing."""
        return self._label_cards

    @cached_property
    def _lf_cards(self) -> list[LFCard]:
        names = self._train.votes.like.names
        return lf_cards(self._train, self._facts.get("dev"), [self._by_column[name].fields for name in names])

    @cached_property
    def _label_cards(self) -> list[LabelCard]:
        return label_cards(self._train, self._facts.get("dev"), self._lf_cards)

    @property
    def _train(self) -> SplitFacts:
        return self._facts["train"]

    def _task(self, task: str) -> str:
        return check_choice("task", task, self.schema.tasks)

    @property
    def _names(self) -> tuple[str, ...]:
        return names_of(self._facts["train"].votes)

    def _of(self, split: str) -> SplitFacts:
        return self._facts[check_choice("split", split, self.splits)]

    def _answer(self, query: Query) -> Answer:
        """All rows that answer a question, in order; the last few questions are remembered."""
        if query not in self._answers:
            self._answers[query] = self._find(query)
            while len(self._answers) > _KEPT:
                self._answers.popitem(last=False)
        self._answers.move_to_end(query)
        return self._answers[query]

    def _find(self, query: Query) -> Answer:
        order = order_of(query) if query.near is None else self._nearness(*query.near)
        splits, rows, scores = list[Rows](), list[Rows](), list[FloatArray]()
        for number, facts in enumerate(self._facts.values()):
            if query.split not in (None, facts.name):
                continue
            mask = matching(facts, query, choose(facts.votes, query))
            if query.near is not None and order is not None:
                mask &= np.isfinite(order(facts))
                if query.near[0] == facts.name:
                    mask[query.near[1]] = False
            found = np.flatnonzero(mask)
            splits.append(np.full(len(found), number))
            rows.append(found)
            if order is not None:
                scores.append(order(facts)[found])
        if order is None:
            return np.concatenate(splits), np.concatenate(rows), None
        score = np.concatenate(scores)
        ranks = np.argsort(score, kind="stable")
        return np.concatenate(splits)[ranks], np.concatenate(rows)[ranks], score[ranks]

    def _nearness(self, split: str, row: int) -> Score:
        """How far each record is from one."""
        self._check_row("row of near", split, row)
        distances = self._neighbours.distances(split, row)
        return lambda facts: distances[facts.name]

    @cached_property
    def _neighbours(self) -> Neighbours:
        if self._featurizer is None:
            raise ConfigError("near must be asked of records with features; got none. Pass featurizer=.")
        return Neighbours(self._featurizer, self._facts)

    def _read(
        self, splits: Rows, rows: Rows, scores: FloatArray | None, search: str | None
    ) -> list[InspectedRecord]:
        found: dict[int, InspectedRecord] = {}
        for number, facts in enumerate(self._facts.values()):
            here = np.flatnonzero(splits == number)
            own = None if scores is None else scores[here]
            found |= zip(here.tolist(), self._reader.read(facts, rows[here], search, own), strict=True)
        return [found[i] for i in range(len(rows))]

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name}: {facts.n_points:,}" for name, facts in self._facts.items())
        return f"Inspection({sizes}; {len(self.lfs)} labeling functions)"
