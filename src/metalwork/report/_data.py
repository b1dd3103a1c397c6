"""What a report can show. Every part may be left out; its section is then left out too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from metalwork.analysis import LFSummary, Metrics
from metalwork.end_models import Plan
from metalwork.errors import VotesError
from metalwork.inspection import InspectedRecord, LabelCard, LFCard, LFPairs
from metalwork.schema import TaskSchema
from metalwork.suggestions import Fix
from metalwork.votes import FeasibleLabels, Space


@dataclass(frozen=True)
class Training:
    """The course of a training run, one element an epoch.

    Attributes
    ----------
    loss : sequence of float
        Mean training loss.
    dev_accuracy : sequence of float or None
        Accuracy on dev in [0, 1]; empty where no dev labels were given.
    best_epoch : int, optional
        Position of the epoch whose weights were kept.
    temperature : float
        What the logarithms of probabilities were divided by to calibrate them, by dev labels.
    """

    loss: Sequence[float]
    dev_accuracy: Sequence[float | None] = ()
    best_epoch: int | None = None
    temperature: float = 1.0


@dataclass(frozen=True)
class UncertainRecord:
    """A record the model is not sure of.

    Attributes
    ----------
    key : str
        How the reader finds it again: an id or a row number.
    text : str
        Its content; shown as text, shortened.
    probabilities : mapping of str to float
        The most probable end labels and their probabilities, most probable first.
    votes : mapping of str to str
        What LFs said about it: LF name to label name.
    """

    key: str
    text: str
    probabilities: Mapping[str, float]
    votes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class LFExamples:
    """Records on which a labeling function votes, a few of each kind; each tuple may be empty."""

    right: tuple[InspectedRecord, ...] = ()
    wrong: tuple[InspectedRecord, ...] = ()
    conflict: tuple[InspectedRecord, ...] = ()
    other: tuple[InspectedRecord, ...] = ()


@dataclass(frozen=True)
class ReportData:
    """The contents of one report; only ``title`` and ``schema`` are required.

    Attributes
    ----------
    title : str
        Name of the project.
    schema : TaskSchema
    space : TaskSchema or FeasibleLabels, optional
        What the LFs vote on; the tree itself where left out.
    created : datetime, optional
        When the run was made.
    description : str
        A sentence or two below the title.
    facts : mapping of str to str
        Short figures at the top: {"Records": "2,630", "Seed": "0", "metalwork": "0.1.0"}.
    lfs : LFSummary, optional
        Of the training votes, with ``accuracies`` from the label model.
    gold_lfs : mapping of str to LFSummary
        The same LFs on splits of known end labels: {"dev": lf_summary(dev_votes, y_dev), "test": ...}.
    notes_on_lfs : sequence of str
        Sentences on LFs worth a look, such as ``Diagnosis.notes`` of the label model.
    notes_on_labels : sequence of str
        Sentences on the label model's labels, such as how many records have no vote.
    distributions : mapping of str to float sequence (n_end_labels,)
        Shares of the end labels: {"label model, train": probs.end.mean(axis=0), "gold, dev": ...}.
    label_model : str
        Name of the label model.
    class_prior : float sequence (n_end_labels,), optional
        The label model's class prior.
    warnings : sequence of str
        What the label model or the pipeline warned of.
    tried : sequence of rows of str
        Settings tried on dev, below a row of headings.
    notes_on_tuning : sequence of str
        What that found.
    plan : Plan, optional
        The network that ``metalwork.end_models.compile_plan`` drew up.
    training : Training, optional
    results : mapping of str to mapping of str to Metrics
        Model name to split name to metrics, in the order to show:
        {"Hard majority vote": {"dev": ..., "test": ...}, "Label model": {...}, "End model": {...}}.
        The last model is the one the report is about: its confusions are shown first.
    uncertain : sequence of UncertainRecord
        The records the model is least sure of, the least sure first; :func:`uncertain_records` makes them.
    fixes : sequence of Fix
        What to fix next, the worst first; ``metalwork.suggestions.suggest_fixes`` finds it.
    lf_cards, label_cards : sequence of LFCard, of LabelCard
        What ``run.inspection`` says of labeling functions and of end labels.
    pairs : LFPairs, optional
        What it says of pairs of labeling functions.
    examples : mapping of LF name to LFExamples
    vote_counts : sequence of int
        How many training records have no vote, one, two, and so on.
    """

    title: str
    schema: TaskSchema
    space: Space | None = None
    created: datetime | None = None
    description: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    lfs: LFSummary | None = None
    gold_lfs: Mapping[str, LFSummary] = field(default_factory=dict)
    notes_on_lfs: Sequence[str] = ()
    notes_on_labels: Sequence[str] = ()
    distributions: Mapping[str, Any] = field(default_factory=dict)
    label_model: str = ""
    class_prior: Any = None
    warnings: Sequence[str] = ()
    tried: Sequence[Sequence[str]] = ()
    notes_on_tuning: Sequence[str] = ()
    plan: Plan | None = None
    training: Training | None = None
    results: Mapping[str, Mapping[str, Metrics]] = field(default_factory=dict)
    uncertain: Sequence[UncertainRecord] = ()
    fixes: Sequence[Fix] = ()
    lf_cards: Sequence[LFCard] = ()
    label_cards: Sequence[LabelCard] = ()
    pairs: LFPairs | None = None
    examples: Mapping[str, LFExamples] = field(default_factory=dict)
    vote_counts: Sequence[int] = ()

    @property
    def vectors(self) -> FeasibleLabels | None:
        """The label vectors, where the end labels are such."""
        return self.space if isinstance(self.space, FeasibleLabels) else None

    def __post_init__(self) -> None:
        shares = dict(self.distributions)
        if self.class_prior is not None:
            shares["class_prior"] = self.class_prior
        for name, share in shares.items():
            if np.shape(share) != (self.schema.n_end_labels,):
                raise VotesError(
                    f"{name} must hold one share an end label ({self.schema.n_end_labels}); "
                    f"got shape {np.shape(share)}."
                )
