"""From an end model's arguments, records and labels to what its fit finds."""

import os
from collections.abc import Iterable, Sequence
from typing import Any

import torch

from metalwork._checks import check_callable, check_instance
from metalwork.end_models._arguments import (
    MODULES,
    check_arguments,
    optimisation,
    pick_device,
    pick_seed,
    plain_arguments,
)
from metalwork.end_models._balance import HeadBalance
from metalwork.end_models._blocks import fit_scaling
from metalwork.end_models._building import compile_for, pick_threads
from metalwork.end_models._calibration import fit_power
from metalwork.end_models._checkpoint import Checkpoint
from metalwork.end_models._digest import Digest
from metalwork.end_models._featurized import brings_module, one_copy
from metalwork.end_models._fitness import warn_if_unlearned
from metalwork.end_models._inputs import in_blocks
from metalwork.end_models._linear import LinearTrainer
from metalwork.end_models._parts import Parts, Reader, naming
from metalwork.end_models._processes import Processes
from metalwork.end_models._scaling import Scaler
from metalwork.end_models._spool import Spool
from metalwork.end_models._storage import Fitted
from metalwork.end_models._supervision import Supervision
from metalwork.end_models._tasks import InMemory, Task, mean_one
from metalwork.end_models._training import Dev, Trainer, predict_log_proba, seeded, threads
from metalwork.end_models._watching import Callback
from metalwork.end_models.plan import Plan, compile_plan
from metalwork.features import Featurizer

_Path = str | os.PathLike[str]


def fit_whole(
    model: Any,
    X: Any,
    probs: Any,
    dev: Any,
    sample_weight: Any,
    callbacks: Sequence[Callback],
    checkpoint: _Path | None,
) -> Fitted:
    """What a model finds in records that are all in memory."""
    reader = _reader(model, callbacks)
    part = reader.open(X, probs, sample_weight)
    reader.fit_featurizer([part])
    inputs = reader.features(part)
    scaler = fit_scaling(lambda: in_blocks(inputs), model, reader.blocks)
    heads, balance, supervision = _heads(model), HeadBalance(model.schema), Supervision(model.schema)
    balance.add(part.labels, part.weights)
    supervision.add(part.labels)
    supervision.check(model.unsupervised)
    task = InMemory(scaler.transform(inputs), part.labels.targets(heads), mean_one(part.weights))
    return _train(model, reader, _balanced(model, task, balance, heads), scaler, dev, callbacks, checkpoint)


def fit_in_parts(
    model: Any, parts: Iterable[Any], dev: Any, callbacks: Sequence[Callback], checkpoint: _Path | None
) -> Fitted:
    """What a model finds in records that come in parts, of which one at a time is in memory."""
    reader = _reader(model, callbacks)
    read = Parts(reader, parts)
    reader.fit_featurizer(read)
    heads, balance, supervision = _heads(model), HeadBalance(model.schema), Supervision(model.schema)
    with Spool() as spool:
        for part in read:
            with naming(part.name):
                spool.append(reader.features(part), part.labels.targets(heads), part.weights)
                balance.add(part.labels, part.weights)
                supervision.add(part.labels)
        supervision.check(model.unsupervised)
        scaler = fit_scaling(spool.blocks, model, reader.blocks)
        spool.scale(scaler)
        return _train(model, reader, _balanced(model, spool, balance, heads), scaler, dev, callbacks, checkpoint)


def _reader(model: Any, callbacks: Any) -> Reader:
    check_arguments(model)
    for callback in check_instance("callbacks", callbacks, Sequence):
        check_callable("each of callbacks", callback)
    return Reader(model.schema, one_copy(model.featurizer), model.input_module is not None)


def _heads(model: Any) -> Plan:
    """A plan whose heads are those of the network, whatever its features."""
    return compile_plan(model.schema, model.architecture, 1, model.hidden_sizes)


def is_convex(model: Any) -> bool:
    """Whether the model is linear in its features, so that its loss has one minimum."""
    own = model.input_module is not None or model.head_module is not None or brings_module(model.featurizer)
    return model.architecture == "linear" and not own


def _balanced(model: Any, task: Task, balance: HeadBalance, heads: Plan) -> Task:
    """Its targets weighed; a linear model's heads share no weights, so that none of them can be outweighed."""
    return balance.over(task, heads) if model.balance_levels and not is_convex(model) else task


def _train(
    model: Any,
    reader: Reader,
    task: Task,
    scaler: Scaler,
    dev: Any,
    callbacks: Sequence[Callback],
    checkpoint: _Path | None,
) -> Fitted:
    held_out = None if dev is None else reader.dev(dev, scaler)
    if is_convex(model):
        found = _solve(model, reader, task, scaler, held_out, callbacks)
    else:
        found = _descend(model, reader, task, scaler, held_out, callbacks, checkpoint)
    if held_out is not None:
        log_proba = predict_log_proba(found.network, held_out.inputs, model.batch_size)
        found.network.power = fit_power(log_proba, held_out.admitted)
    return found


def _descend(
    model: Any,
    reader: Reader,
    task: Task,
    scaler: Scaler,
    held_out: Dev | None,
    callbacks: Sequence[Callback],
    checkpoint: _Path | None,
) -> Fitted:
    """The network that gradient steps find."""
    columns, processes = reader.columns, Processes()
    assert columns is not None
    device, seed = pick_device(model.device), processes.agree_on(pick_seed(model.random_state))
    kept = None
    if checkpoint is not None or processes.are_several:
        facts = _facts(model, task, held_out, device, reader.featurizer)
        processes.check_same(Digest().add(facts).hex())
        if checkpoint is not None:
            kept = Checkpoint(checkpoint, facts | {"processes": processes.number})
    with seeded(seed, device):
        network = compile_for(model, task, columns.number, scaler, device, reader.featurizer)
        processes.share_state(network)
        if processes.rank:  # other dropout than that of the first
            torch.default_generator.manual_seed(seed + processes.rank)
        how = optimisation(model, network.plan.width, device)
        trainer = Trainer(network, task, how, model.batch_size, model.max_epochs, seed, processes)
        with threads(pick_threads(model, network)):
            trainer.fit(held_out, model.patience, callbacks, kept)
    if kept is not None and not processes.rank:
        kept.remove()
    if model.max_epochs is None:
        warn_if_unlearned(network.plan, task, trainer.history[-1]["loss"])
    found = network.eval(), scaler, columns, trainer.history, trainer.best_epoch
    return Fitted(*found, reader.featurizer, reader.named)


def _solve(
    model: Any, reader: Reader, task: Task, scaler: Scaler, dev: Dev | None, callbacks: Sequence[Callback]
) -> Fitted:
    """The one optimum of a linear model: found in seconds, so that no checkpoint is kept."""
    columns = reader.columns
    assert columns is not None
    with seeded(0, torch.device("cpu")):  # what it draws is overwritten
        network = compile_for(model, task, columns.number, scaler, torch.device("cpu"))
    trainer = LinearTrainer(network, task, model.l2, model.max_epochs)
    trainer.fit(dev, callbacks)
    found = network.to(pick_device(model.device)).eval(), scaler, columns, trainer.history, trainer.best_epoch
    return Fitted(*found, reader.featurizer, reader.named)


def _facts(
    model: Any, task: Task, dev: Dev | None, device: torch.device, featurizer: Featurizer | None
) -> dict[str, Any]:
    """What two attempts at one fit, or two processes at it, have in common."""
    return {
        "schema": model.schema.to_dict(),
        **plain_arguments(model),
        "modules": [name for name in MODULES if getattr(model, name) is not None],
        "inputs": Digest().add(*featurizer.pack()).hex() if featurizer and featurizer.has_module else None,
        "device": device.type,
        "records": task.digest(),
        "dev": None if dev is None else Digest().add(*dev.inputs.contents(), dev.admitted).hex(),
    }
