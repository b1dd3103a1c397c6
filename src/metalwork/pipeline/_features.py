"""From a project's settings to what turns its records into the end model's input."""

from metalwork.features import Combined, Featurizer, NumericColumns, WordCounts
from metalwork.pipeline._settings import FeatureSettings


def label_model_featurizer(settings: FeatureSettings) -> Featurizer:
    """What a label model reads of the records: the words of the text, or else the numeric columns."""
    return build_featurizer(settings if settings.text is None else settings.model_copy(update={"columns": None}))


def build_featurizer(settings: FeatureSettings) -> Featurizer:
    """Counts of a text column, numeric columns as they are, or both side by side; scaling is the end model's."""
    found: list[Featurizer] = []
    if settings.text is not None:
        low, high = settings.ngrams
        counts = WordCounts(settings.min_df, settings.max_features, settings.tokenizer, (low, high), settings.text)
        found.append(counts)
    if settings.columns is not None:
        found.append(NumericColumns(tuple(settings.columns)))
    return found[0] if len(found) == 1 else Combined(found)
