"""From a project's settings to what turns its records into the end model's input."""

from metalwork.features import Featurizer, NumericColumns, WordCounts
from metalwork.pipeline._settings import FeatureSettings


def build_featurizer(settings: FeatureSettings) -> Featurizer:
    """Word counts of a text column, or numeric columns as they are; scaling is the end model's."""
    if settings.columns is not None:
        return NumericColumns(tuple(settings.columns))
    return WordCounts(settings.min_df, settings.max_features, field=settings.text)
