"""From a project's settings to what turns its records into the end model's input."""

from typing import Final

from metalwork.features import Combined, Featurizer, NumericColumns, TfIdf, WordCounts
from metalwork.pipeline._settings import FeatureSettings

_WORDS: Final = {"counts": WordCounts, "tf-idf": TfIdf}


def label_model_featurizer(settings: FeatureSettings) -> Featurizer:
    """What a label model reads of the records: counts of the words of the text, or else the numeric columns."""
    of_text = {"columns": None, "words": "counts"}
    return build_featurizer(settings if settings.text is None else settings.model_copy(update=of_text))


def build_featurizer(settings: FeatureSettings) -> Featurizer:
    """The words of a text column, numeric columns as they are, or both side by side."""
    found: list[Featurizer] = []
    if settings.text is not None:
        low, high = settings.ngrams
        found.append(
            _WORDS[settings.words](
                min_df=settings.min_df,
                max_features=settings.max_features,
                tokenizer=settings.tokenizer,
                ngrams=(low, high),
                field=settings.text,
            )
        )
    if settings.columns is not None:
        found.append(NumericColumns(tuple(settings.columns)))
    return found[0] if len(found) == 1 else Combined(found)
