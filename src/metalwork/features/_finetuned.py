"""Texts as a transformer reads them, which learns with the end model."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from metalwork._checks import check_count, check_positive
from metalwork.errors import ConfigError, DataError
from metalwork.features._featurizer import Array, Learner
from metalwork.features._texts import TextVectors

if TYPE_CHECKING:
    from torch import nn


class FineTuned(TextVectors):
    """Texts through a Hugging Face transformer that is trained with the end model, end to end.

    Features are the texts' tokens. The network reads the mean of what the transformer makes of them, and its
    gradients go on into the transformer. A model's file holds its configuration, tokenizer and trained weights, so
    that a saved model takes texts without the one it started from, and without the network.

    Parameters
    ----------
    encoder : str, optional
        The folder of a transformer with weights in safetensors, or its name on a hub; by default
        all-MiniLM-L6-v2, which comes with ``metalwork[text]`` and needs no network.
    field : str, optional
        The column of records that holds the text.
    max_tokens : int, default 128
        What follows in a text is passed over. Memory and time grow with it only where texts are as long.
    learning_rate : float, default 1e-4
        The highest rate of the transformer's weights; those above it follow the model's ``lr``.

    Attributes
    ----------
    config_ : dict
        The transformer's configuration; set by :meth:`fit`.
    tokenizer_ : str
        Its tokenizer, as JSON; set by :meth:`fit`.
    """

    kind = "fine-tuned transformer"
    _number = "token"
    config_: dict[str, Any]
    tokenizer_: str

    def __init__(
        self,
        encoder: str | None = None,
        field: str | None = None,
        max_tokens: int = 128,
        learning_rate: float = 1e-4,
    ) -> None:
        self.encoder = encoder
        self.field = field
        self.max_tokens = max_tokens
        self.learning_rate = learning_rate

    @property
    def n_features(self) -> int:
        """Number of tokens that are read."""
        return int(self.max_tokens)

    @property
    def has_module(self) -> bool:
        """It has: the transformer."""
        return True

    def learner(self) -> Learner:
        """Finds the transformer's configuration and tokenizer; checks the texts of each part.

        Raises
        ------
        ConfigError
            When the transformer is not there or of another kind, or an argument is out of range.
        MissingExtraError
            Without ``metalwork[text]``.
        """
        from metalwork.features._transformer import find_transformer

        self._check()
        self.config_, self.tokenizer_, most = find_transformer(self.encoder)
        if self.max_tokens > most:
            raise ConfigError(
                f"max_tokens must be at most {most}, which is what the encoder reads; got {self.max_tokens}."
            )
        return super().learner()

    def transform(self, records: Any) -> npt.NDArray[np.float32]:
        """float32 array (n_points, max_tokens) of token ids, each 1 higher; 0 where a text has no more."""
        from metalwork.features._transformer import tokenizer_of

        self._check_fitted()
        texts = self._texts(records)
        tokens = np.zeros((len(texts), self.n_features), np.float32)
        found = tokenizer_of(self.tokenizer_, self.n_features).encode_batch_fast(texts)
        for row, text in zip(tokens, found, strict=True):
            ids = text.ids or [0]  # a text without tokens has one, so that attention has something to attend to
            row[: len(ids)] = np.add(ids, 1)
        return tokens

    def module(self, blank: bool = False) -> "nn.Module":
        """The transformer: the one of ``encoder``, or one like it whose weights a file is about to give."""
        from metalwork.features._transformer import Transformer, pretrained, untrained

        self._check_fitted()
        found = untrained(self.config_) if blank else pretrained(self.encoder)
        return Transformer(found, float(self.learning_rate))

    def state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Arguments, configuration and tokenizer; no arrays, for the network has the weights."""
        self._check_fitted()
        facts: dict[str, Any] = {"encoder": self.encoder, "field": self.field}
        facts |= {"max_tokens": int(self.max_tokens), "learning_rate": float(self.learning_rate)}
        return facts | {"config": self.config_, "tokenizer": self.tokenizer_}, {}

    @classmethod
    def restored(cls, facts: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        """From its :meth:`state`; nothing is looked up."""
        config, tokenizer = facts["config"], facts["tokenizer"]
        if not isinstance(config, dict) or not isinstance(tokenizer, str):
            raise DataError("The configuration and tokenizer of a transformer must be JSON.")
        featurizer = cls(facts["encoder"], facts["field"], facts["max_tokens"], facts["learning_rate"])
        featurizer._check()
        featurizer.config_, featurizer.tokenizer_ = config, tokenizer
        return featurizer

    def _check(self) -> None:
        if not isinstance(self.encoder, str | None) or self.encoder == "":
            raise ConfigError(f"encoder must be the folder or name of a transformer; got {self.encoder!r}.")
        check_count("max_tokens", self.max_tokens)
        check_positive("learning_rate", self.learning_rate)
        super()._check()
