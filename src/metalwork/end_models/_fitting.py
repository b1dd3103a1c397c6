"""From an end model's arguments, records and labels to what its fit finds."""

from collections.abc import Iterable, Sequence
from typing import Any

from metalwork._checks import check_callable, check_instance
from metalwork.end_models._arguments import check_arguments, pick_device, pick_seed
from metalwork.end_models._building import compile_for, pick_threads
from metalwork.end_models._featurized import one_copy
from metalwork.end_models._inputs import in_blocks
from metalwork.end_models._parts import Parts, Reader, naming
from metalwork.end_models._scaling import Scaler, fit_scaler
from metalwork.end_models._spool import Spool
from metalwork.end_models._storage import Fitted
from metalwork.end_models._tasks import InMemory, Task, mean_one
from metalwork.end_models._training import Callback, Trainer, seeded, threads
from metalwork.end_models.plan import Plan, compile_plan


def fit_whole(
    model: Any, X: Any, probs: Any, dev: Any, sample_weight: Any, callbacks: Sequence[Callback]
) -> Fitted:
    """What a model finds in records that are all in memory."""
    reader = _reader(model, callbacks)
    part = reader.open(X, probs, sample_weight)
    reader.fit_featurizer([part])
    inputs = reader.features(part)
    scaler = fit_scaler(lambda: in_blocks(inputs), model.scaling, model.input_module is not None)
    targets = part.labels.targets(_heads(model))
    task = InMemory(scaler.transform(inputs), targets, mean_one(part.weights))
    return _train(model, reader, task, scaler, dev, callbacks)


def fit_in_parts(model: Any, parts: Iterable[Any], dev: Any, callbacks: Sequence[Callback]) -> Fitted:
    """What a model finds in records that come in parts, of which one at a time is in memory."""
    reader = _reader(model, callbacks)
    read = Parts(reader, parts)
    reader.fit_featurizer(read)
    heads = _heads(model)
    with Spool() as spool:
        for part in read:
            with naming(part.name):
                spool.append(reader.features(part), part.labels.targets(heads), part.weights)
        scaler = fit_scaler(spool.blocks, model.scaling, model.input_module is not None)
        spool.scale(scaler)
        return _train(model, reader, spool, scaler, dev, callbacks)


def _reader(model: Any, callbacks: Any) -> Reader:
    check_arguments(model)
    for callback in check_instance("callbacks", callbacks, Sequence):
        check_callable("each of callbacks", callback)
    return Reader(model.schema, one_copy(model.featurizer), model.input_module is not None)


def _heads(model: Any) -> Plan:
    """A plan whose heads are those of the network, whatever its features."""
    return compile_plan(model.schema, model.architecture, 1, model.hidden_sizes)


def _train(
    model: Any, reader: Reader, task: Task, scaler: Scaler, dev: Any, callbacks: Sequence[Callback]
) -> Fitted:
    columns = reader.columns
    assert columns is not None
    held_out = None if dev is None else reader.dev(dev, scaler)
    device, seed = pick_device(model.device), pick_seed(model.random_state)
    with seeded(seed, device):
        network = compile_for(model, task, columns.number, scaler, device)
        trainer = Trainer(network, task, model.lr, model.batch_size, model.weight_decay, model.max_epochs, seed)
        with threads(pick_threads(model, network)):
            trainer.fit(held_out, model.patience, callbacks)
    found = network.eval(), scaler, columns, trainer.history, trainer.best_epoch
    return Fitted(*found, reader.featurizer)
