"""metalwork: weak supervision for hierarchies of classification tasks.

Nothing heavy is imported until it is used; torch only when an end model is.
"""

from typing import TYPE_CHECKING

from metalwork._public import on_first_use

__version__ = "0.1.0"

if TYPE_CHECKING:
    from metalwork._checks import ABSTAIN, NOT_APPLICABLE
    from metalwork.analysis import evaluate, least_certain, lf_summary
    from metalwork.delivery import Predictor
    from metalwork.end_models import EndModel
    from metalwork.errors import MetalworkError
    from metalwork.features import (
        Categories,
        Dates,
        FineTuned,
        HashedWords,
        Images,
        SentenceEmbeddings,
        StaticEmbeddings,
        TfIdf,
        WordCounts,
    )
    from metalwork.label_models import (
        FeatureAwareLabelModel,
        ForestLabelModel,
        HierarchicalLabelModel,
        LogLinearLabelModel,
        MajorityVote,
        load_label_model,
    )
    from metalwork.labeling import (
        LabelingFunction,
        Not,
        apply,
        equals,
        from_callable,
        from_column,
        from_probabilities,
        keywords,
        labeling_function,
        preprocessor,
        regex,
        threshold,
    )
    from metalwork.pipeline import Run
    from metalwork.probabilities import TaskProbabilities
    from metalwork.proposals import propose_schema
    from metalwork.schema import TaskSchema
    from metalwork.sources import (
        from_crowd,
        from_model,
        from_skweak,
        from_snorkel,
        from_table,
        llm,
        prototypes,
        spacy_entities,
        spacy_patterns,
        zero_shot,
    )
    from metalwork.votes import FeasibleLabels, LabelMatrix, TaskForest

_HOMES = {
    "ABSTAIN": "_checks",
    "Categories": "features",
    "Dates": "features",
    "EndModel": "end_models",
    "FeasibleLabels": "votes",
    "FeatureAwareLabelModel": "label_models",
    "FineTuned": "features",
    "ForestLabelModel": "label_models",
    "HashedWords": "features",
    "HierarchicalLabelModel": "label_models",
    "Images": "features",
    "LabelMatrix": "votes",
    "LabelingFunction": "labeling",
    "LogLinearLabelModel": "label_models",
    "MajorityVote": "label_models",
    "MetalworkError": "errors",
    "NOT_APPLICABLE": "_checks",
    "Not": "labeling",
    "Predictor": "delivery",
    "Run": "pipeline",
    "SentenceEmbeddings": "features",
    "StaticEmbeddings": "features",
    "TaskForest": "votes",
    "TaskProbabilities": "probabilities",
    "TaskSchema": "schema",
    "TfIdf": "features",
    "WordCounts": "features",
    "apply": "labeling",
    "equals": "labeling",
    "evaluate": "analysis",
    "from_callable": "labeling",
    "from_column": "labeling",
    "from_crowd": "sources",
    "from_model": "sources",
    "from_probabilities": "labeling",
    "from_skweak": "sources",
    "from_snorkel": "sources",
    "from_table": "sources",
    "keywords": "labeling",
    "labeling_function": "labeling",
    "least_certain": "analysis",
    "lf_summary": "analysis",
    "llm": "sources",
    "load_label_model": "label_models",
    "preprocessor": "labeling",
    "propose_schema": "proposals",
    "prototypes": "sources",
    "regex": "labeling",
    "spacy_entities": "sources",
    "spacy_patterns": "sources",
    "threshold": "labeling",
    "zero_shot": "sources",
}

__all__ = [  # noqa: RUF022 (a plain sort, so that a test can pin it)
    "ABSTAIN",
    "Categories",
    "Dates",
    "EndModel",
    "FeasibleLabels",
    "FeatureAwareLabelModel",
    "FineTuned",
    "ForestLabelModel",
    "HashedWords",
    "HierarchicalLabelModel",
    "Images",
    "LabelMatrix",
    "LabelingFunction",
    "LogLinearLabelModel",
    "MajorityVote",
    "MetalworkError",
    "NOT_APPLICABLE",
    "Not",
    "Predictor",
    "Run",
    "SentenceEmbeddings",
    "StaticEmbeddings",
    "TaskForest",
    "TaskProbabilities",
    "TaskSchema",
    "TfIdf",
    "WordCounts",
    "apply",
    "equals",
    "evaluate",
    "from_callable",
    "from_column",
    "from_crowd",
    "from_model",
    "from_probabilities",
    "from_skweak",
    "from_snorkel",
    "from_table",
    "keywords",
    "labeling_function",
    "least_certain",
    "lf_summary",
    "llm",
    "load_label_model",
    "preprocessor",
    "propose_schema",
    "prototypes",
    "regex",
    "spacy_entities",
    "spacy_patterns",
    "threshold",
    "zero_shot",
]


__getattr__ = on_first_use(__name__, _HOMES, globals())


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
