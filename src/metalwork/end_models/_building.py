"""From an end model's arguments and inputs to its network."""

import copy
from typing import Any, Final

import numpy as np
import torch
from torch import nn

from metalwork.end_models._inputs import move, output_size
from metalwork.end_models._scaling import Scaler
from metalwork.end_models._tasks import Task
from metalwork.end_models.network import EndNetwork, compile_network
from metalwork.end_models.plan import Plan, compile_plan
from metalwork.errors import DataError
from metalwork.features import Featurizer

_WORDS_INPUT_DROPOUT: Final = 0.2
_SMALL_NETWORK: Final = 10_000_000  # parameters, below which a second thread costs more than it gives


def compile_for(
    model: Any,
    task: Task,
    n_columns: int | None,
    scaler: Scaler,
    device: torch.device,
    featurizer: Featurizer | None = None,
) -> EndNetwork:
    """A new network for these records, with a copy of the model's input module, or that of its featurizer."""
    module, n_features = input_module_of(model, featurizer), n_columns
    if module is not None:
        module = module.to(device)
        n_rows = min(2, len(task))
        n_features = output_size(module, move(task.batch(np.arange(n_rows)).rows, device), n_rows)
    if n_features is None:
        raise DataError("X must have shape (n_points, n_features); it has more dimensions. Pass input_module.")
    plan = compile_plan(model.schema, model.architecture, n_features, model.hidden_sizes)
    return build(model, plan, scaler, module).to(device)


def input_module_of(model: Any, featurizer: Featurizer | None, blank: bool = False) -> nn.Module | None:
    """What a new network reads its records through; ``blank`` where its weights are about to be replaced."""
    if model.input_module is not None:
        module: nn.Module = copy.deepcopy(model.input_module)
        return module
    return None if featurizer is None else featurizer.module(blank)


def build(model: Any, plan: Plan, scaler: Scaler, input_module: nn.Module | None) -> EndNetwork:
    """The network of a plan, with the model's own modules and dropout."""
    usual = _WORDS_INPUT_DROPOUT if scaler.is_of_words else 0.0
    input_dropout = usual if model.input_dropout is None else model.input_dropout
    make = (model.intermediate_module, model.head_module)
    return compile_network(plan, model.schema, input_module, *make, model.dropout, input_dropout)


def pick_threads(model: Any, network: EndNetwork) -> int:
    """How many torch threads to use: the model's own number, or one where the network is small."""
    if model.n_threads is not None:
        return int(model.n_threads)
    small = sum(parameter.numel() for parameter in network.parameters()) < _SMALL_NETWORK
    return 1 if small and not has_input_module(network) else torch.get_num_threads()


def has_input_module(network: EndNetwork) -> bool:
    """Whether it reads records through a module, the user's or a featurizer's."""
    return not isinstance(network.input_module, nn.Identity)
