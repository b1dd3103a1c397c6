"""From a project's settings to what turns its records into the end model's input."""

from typing import Any, Final

from metalwork.features import (
    Categories,
    Combined,
    Dates,
    Featurizer,
    FineTuned,
    HashedWords,
    Images,
    NumericColumns,
    SentenceEmbeddings,
    StaticEmbeddings,
    TfIdf,
    WordCounts,
)
from metalwork.pipeline._settings import FEATURE_KINDS, FeatureSettings

_WORDS: Final[dict[str, type[Any]]] = {"counts": WordCounts, "tf-idf": TfIdf}


def label_model_featurizer(settings: FeatureSettings) -> Featurizer | None:
    """What a label model reads of the records: counts of the words of a text, or else all that is no text.

    None where there is neither, for a network alone can read pictures.
    """
    text = settings.text or settings.fine_tuned
    if text is None:
        rest = settings.model_copy(update={"images": None})
        return build_featurizer(rest) if any(getattr(rest, kind) for kind in FEATURE_KINDS) else None
    alone = dict.fromkeys(FEATURE_KINDS) | {"text": text, "words": "counts"}
    return build_featurizer(settings.model_copy(update=alone))


def near_featurizer(settings: FeatureSettings) -> Featurizer | None:
    """What tells how near records are: TF-IDF of a text, or else all that is no text; None for pictures."""
    text = settings.text or settings.fine_tuned
    return label_model_featurizer(settings) if text is None else TfIdf(field=text, tokenizer=settings.tokenizer)


def build_featurizer(settings: FeatureSettings) -> Featurizer:
    """What the settings name, side by side where they name several; scaling is the end model's."""
    found = list(checked_featurizers(settings).values())
    if settings.categories is not None:
        found.insert(0, Categories(tuple(settings.categories)))
    if settings.text is not None:
        found.insert(0, _of_words(settings, settings.text))
    if settings.embeddings is not None:
        found.append(SentenceEmbeddings(settings.encoder, settings.embeddings))
    if settings.static is not None and settings.vectors is not None:
        found.append(StaticEmbeddings(settings.vectors, settings.static))
    if settings.fine_tuned is not None:
        found.append(FineTuned(settings.encoder, settings.fine_tuned, settings.max_tokens))
    if settings.images is not None:
        size, path = settings.image_size, settings.image_folder
        found.append(Images(settings.images, size, settings.backbone, settings.weights, path))
    return found[0] if len(found) == 1 else Combined(found)


def checked_featurizers(settings: FeatureSettings) -> dict[str, Featurizer]:
    """Those that refuse some values, by their key."""
    found: dict[str, Featurizer] = {}
    if settings.columns is not None:
        found["columns"] = NumericColumns(tuple(settings.columns), settings.missing)
    if settings.dates is not None:
        found["dates"] = Dates(tuple(settings.dates))
    return found


def _of_words(settings: FeatureSettings, field: str) -> Featurizer:
    low, high = settings.ngrams
    how: dict[str, Any] = {"tokenizer": settings.tokenizer, "ngrams": (low, high), "field": field}
    if settings.words == "hashed":
        size: dict[str, Any] = {} if settings.max_features is None else {"n_columns": settings.max_features}
        return HashedWords(**size, **how)
    featurizer: Featurizer = _WORDS[settings.words](
        min_df=settings.min_df, max_features=settings.max_features, **how
    )
    return featurizer
