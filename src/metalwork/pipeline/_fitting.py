"""Fitting the label model of a run, to all labeling functions or to some."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from metalwork.label_models import LabelModel, VoteCounts
from metalwork.pipeline._features import label_model_featurizer
from metalwork.pipeline._models import blaming, build_label_model, class_prior, sees_dev
from metalwork.pipeline._reading import dev_votes, sample
from metalwork.pipeline._settings import LabelModelSettings

if TYPE_CHECKING:
    from metalwork.pipeline._found import RunResults

_MOST_READ: Final = 200_000
"""Training records from which a label model learns what features say: beyond, every second one, or third."""


def fit_label_model(
    run: "RunResults", counts: VoteCounts, settings: LabelModelSettings, kept: Sequence[int] | None = None
) -> tuple[LabelModel, bool]:
    """The label model of ``settings``, and whether it saw dev labels.

    ``counts`` are of the training votes; of the labeling functions at positions ``kept``, where these are named.
    """
    job = run.job
    dev = dev_votes(run) if sees_dev(settings) else None
    lfs = np.arange(len(counts.names)) if kept is None else np.asarray(kept)
    with blaming("label_model", settings.options):
        model = build_label_model(settings, job.schema, job.random_state, label_model_featurizer(job.features))
        known = None if dev is None else (dev[0].lfs(lfs), dev[1])
        model.fit(counts, class_prior=class_prior(settings, job.schema), dev=known)
        if settings.features:
            votes, records = sample(run, _MOST_READ)
            model.learn_features(votes.lfs(lfs), records)
    return model, dev is not None
