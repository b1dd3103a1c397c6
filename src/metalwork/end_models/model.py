"""The end model: a scikit-learn style estimator around the compiled network."""

import copy
import os
from collections.abc import Sequence
from types import NoneType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from metalwork._estimators import Estimator, as_classes
from metalwork.end_models._arguments import (
    MODULES,
    check_arguments,
    check_columns,
    check_modules,
    check_probs,
    check_rows,
    pick_device,
    pick_seed,
    plain_arguments,
    read_weights,
)
from metalwork.end_models._inputs import Inputs, n_columns, output_size, read_inputs
from metalwork.end_models._scaling import Scaler, fit_scaler, restore_scaler
from metalwork.end_models._storage import load_model, save_model
from metalwork.end_models._training import (
    Callback,
    Dev,
    Record,
    Trainer,
    make_task,
    predict_log_proba,
    seeded,
    threads,
)
from metalwork.end_models.losses import head_targets
from metalwork.end_models.network import EndNetwork, ModuleFactory, compile_network
from metalwork.end_models.plan import Plan, compile_plan
from metalwork.errors import DataError
from metalwork.probabilities import TaskProbabilities
from metalwork.schema import TaskSchema

_PREDICT_ROWS = 1024
_COUNTS_INPUT_DROPOUT = 0.2
_SMALL_NETWORK = 10_000_000  # parameters, below which a second thread costs more than it gives


class EndModel(Estimator):
    """A multi-task network that is compiled from the task schema and trained on probabilistic labels.

    Paper, section 4. Each task has a head: a distribution over its labels, given that the task applies. The
    probability of an end label is the product of its path's, so the heads always agree. Trained to minimise the
    cross-entropy expected under the label model (:func:`metalwork.end_models.noise_aware_loss`) by AdamW, with a
    rate that falls to 0 along half a cosine. At a fixed thread count and ``random_state``, fits are bit-identical
    on the CPU. Cost: linear in records, parameters read by a record, and epochs.

    Parameters
    ----------
    schema : TaskSchema
    architecture : {"hier", "flat", "single"}
        See :func:`metalwork.end_models.compile_plan`: Figure 3's two networks, and one head over end labels.
    hidden_sizes : sequence of int, default (250, 50)
        Sizes of the intermediate layers from the input upwards; the last one repeats in deeper trees.
    input_module : nn.Module, optional
        From a batch of raw records (a float tensor, or a list when ``X`` is a sequence) to a float tensor
        (n_rows, D_0). ``fit`` trains a copy. The identity by default.
    random_state : int or None
        Seed of weights, order and dropout; None draws a new one each time.
    intermediate_module, head_module : callable, optional
        ``make(in_size, out_size)`` returns an ``nn.Module`` in place of linear + ReLU, and of a linear head.
    scaling : {"auto", "counts", "standard", "none"}
        ``"counts"``: log(1 + x), rows of one length. ``"standard"``: mean 0 and deviation 1 a feature, of dense
        features. ``"auto"``: counts for whole numbers in a sparse matrix, standard for dense features, else none.
    dropout : float in [0, 1)
        Of the default layers' outputs.
    input_dropout : float in [0, 1), optional
        Of the features. By default 0.2 where the scaling is ``"counts"``, so that the network learns from other
        words than those the labeling functions look for; else 0.
    max_epochs : int, optional
        By default 20, or as many as make 300 steps.
    lr, batch_size, weight_decay
        Of AdamW: the highest rate, records a step, decoupled weight decay.
    patience : int, optional
        Stop after this many epochs without a lower dev loss.
    n_threads : int, optional
        torch threads while fitting and predicting. By default 1 for networks without input module below 10
        million parameters, where more are slower; else torch's own number.
    device : {"cpu", "cuda", "auto"}
        ``"auto"`` takes a GPU where there is one.

    Attributes
    ----------
    plan_ : Plan
        The compiled network, to print.
    network_ : EndNetwork
    history_ : list of dict
        One an epoch: ``epoch``, ``loss``, ``seconds`` and, with dev, ``dev_loss`` and ``dev_accuracy``.
    best_epoch_ : int
        The epoch (from 1) whose weights were kept.
    n_features_in_ : int or None
        Columns of ``X``; None for records that are no matrix.
    """

    _estimator_type = "classifier"
    _called_before = "it predicts or is saved. Call fit(X, probs) first."
    plan_: Plan
    network_: EndNetwork
    history_: list[Record]
    best_epoch_: int
    n_features_in_: int | None
    _scaler: Scaler

    def __init__(
        self,
        schema: TaskSchema,
        architecture: str = "hier",
        hidden_sizes: Sequence[int] = (250, 50),
        input_module: nn.Module | None = None,
        random_state: int | None = 0,
        *,
        intermediate_module: ModuleFactory | None = None,
        head_module: ModuleFactory | None = None,
        scaling: str = "auto",
        dropout: float = 0.0,
        input_dropout: float | None = None,
        max_epochs: int | None = None,
        lr: float = 1e-3,
        batch_size: int = 64,
        weight_decay: float = 0.01,
        patience: int | None = None,
        n_threads: int | None = None,
        device: str = "cpu",
    ) -> None:
        self.schema = schema
        self.architecture = architecture
        self.hidden_sizes = hidden_sizes
        self.input_module = input_module
        self.random_state = random_state
        self.intermediate_module = intermediate_module
        self.head_module = head_module
        self.scaling = scaling
        self.dropout = dropout
        self.input_dropout = input_dropout
        self.max_epochs = max_epochs
        self.lr = lr
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.patience = patience
        self.n_threads = n_threads
        self.device = device

    def fit(
        self,
        X: Any,
        probs: TaskProbabilities,
        dev: tuple[Any, Any] | None = None,
        sample_weight: Any = None,
        callbacks: Sequence[Callback] = (),
    ) -> Self:
        """Train on probabilistic labels.

        Parameters
        ----------
        X : float array or SciPy sparse matrix (n_points, n_features), or records with an input module
            Finite. Sparse matrices stay sparse.
        probs : TaskProbabilities (n_points,)
            Of the model's schema.
        dev : (X_dev, y_dev), optional
            A few records with known end labels (names or codes): the last epoch whose dev errors are within
            two standard errors of the fewest is kept.
        sample_weight : float array (n_points,), optional
            At least 0, not all 0; 0 leaves a record out, as is advised for records no labeling function voted on.
        callbacks : sequence of callable
            Each is called after every epoch with its record in ``history_``.

        Raises
        ------
        ConfigError
            For an argument out of range, or a loss that is no longer finite.
        DataError
            For an ``X`` or ``sample_weight`` of the wrong shape, or not finite.
        VotesError
            For probabilities or dev labels that do not fit the schema.
        """
        check_arguments(self)
        check_probs(probs, self.schema)
        read = self._read(X, "X")
        check_rows("probs", len(probs), len(read))
        weights = read_weights(sample_weight, len(read))
        scaler = fit_scaler(read, self.scaling, self.input_module is not None)
        held_out = None if dev is None else self._read_dev(dev, scaler, n_columns(read))
        inputs = scaler.transform(read)
        device, seed = pick_device(self.device), pick_seed(self.random_state)
        with seeded(seed, device):
            network = self._compile(inputs, scaler, device)
            task = make_task(inputs, head_targets(network.plan, probs), weights)
            trainer = Trainer(network, task, self.lr, self.batch_size, self.weight_decay, self.max_epochs, seed)
            with threads(self._pick_threads(network)):
                trainer.fit(held_out, self.patience, callbacks)
        self.plan_, self.network_, self._scaler = network.plan, network.eval(), scaler
        self.n_features_in_ = n_columns(read)
        self.history_, self.best_epoch_ = trainer.history, trainer.best_epoch
        return self

    @property
    def classes_(self) -> npt.NDArray[np.object_]:
        """object array (n_end_labels,): the end labels' names, whose positions :meth:`predict` returns."""
        return as_classes(self.schema)

    def predict_proba(self, X: Any) -> TaskProbabilities:
        """Probabilities of the end labels, and of every task's labels.

        Raises
        ------
        NotFittedError
            Before :meth:`fit`.
        DataError
            For an ``X`` that does not look like the one of ``fit``, or is not finite.
        """
        self._check_fitted()
        read = self._read(X, "X")
        check_columns("X", n_columns(read), self.n_features_in_)
        size = max(self.batch_size, _PREDICT_ROWS) if self.input_module is None else self.batch_size
        with threads(self._pick_threads(self.network_)):
            proba = np.exp(predict_log_proba(self.network_, self._scaler.transform(read), size))
        return TaskProbabilities(proba / proba.sum(axis=1, keepdims=True), self.schema)

    def predict(self, X: Any) -> npt.NDArray[np.int64]:
        """Most probable end-label codes (n_points,)."""
        return self.predict_proba(X).predict()

    def score(self, X: Any, y: Any) -> float:
        """Accuracy on end labels ``y`` (names or codes), in [0, 1]."""
        gold, found = self.schema.end_codes(y), self.predict(X)
        check_rows("y", len(gold), len(found))
        return float(np.mean(found == gold))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted model to one safetensors file, whole or not at all.

        Weights, arguments and history are stored; code is not, so a model with modules of its own needs them again
        in :meth:`load`.
        """
        self._check_fitted()
        header = {
            "schema": self.schema.to_dict(),
            "arguments": plain_arguments(self),
            "modules": [name for name in MODULES if getattr(self, name) is not None],
            "n_features": self.plan_.n_features,
            "n_features_in": self.n_features_in_,
            "scaling": self._scaler.kind,
            "history": self.history_,
            "best_epoch": self.best_epoch_,
        }
        tensors = {f"network.{name}": tensor for name, tensor in self.network_.state_dict().items()}
        tensors |= {f"scaling.{name}": torch.from_numpy(array) for name, array in self._scaler.arrays.items()}
        save_model(path, header, tensors)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        input_module: nn.Module | None = None,
        intermediate_module: ModuleFactory | None = None,
        head_module: ModuleFactory | None = None,
        device: str = "cpu",
    ) -> Self:
        """Read a model that :meth:`save` wrote. Nothing in the file is executed.

        Raises
        ------
        DataError
            When the file is missing, damaged, of another kind, or does not fit the modules given.
        ConfigError
            When the model was fitted with a module of its own that is not given.
        """
        header, tensors = load_model(path)
        modules: dict[str, Any] = dict(zip(MODULES, (input_module, intermediate_module, head_module), strict=True))
        check_modules(header.get("modules"), modules, path)
        pick_device(device)
        try:
            schema = TaskSchema.from_dict(header["schema"])
            arguments = {**header["arguments"], "hidden_sizes": tuple(header["arguments"]["hidden_sizes"])}
            model = cls(schema, **arguments, **modules, device=device)
            check_arguments(model)
            model._restore(header, tensors)
        except (KeyError, TypeError, ValueError, AttributeError, RuntimeError, RecursionError) as error:
            reason = " ".join(str(error).split()).rstrip(".")
            raise DataError(
                f"{path}: must hold a whole end model; it does not ({reason}). Save it again."
            ) from error
        return model

    def _restore(self, header: dict[str, Any], tensors: dict[str, torch.Tensor]) -> None:
        scaling = {n.removeprefix("scaling."): t.numpy() for n, t in tensors.items() if n.startswith("scaling.")}
        weights = {n.removeprefix("network."): t for n, t in tensors.items() if n.startswith("network.")}
        plan = compile_plan(self.schema, self.architecture, header["n_features"], self.hidden_sizes)
        columns = header["n_features_in"]
        if columns != plan.n_features if self.input_module is None else not isinstance(columns, (int, NoneType)):
            raise DataError(f"n_features_in is {columns!r}")
        own = self.intermediate_module is not None or self.head_module is not None
        if not own and plan.n_parameters > sum(tensor.numel() for tensor in weights.values()):
            raise DataError("there are fewer weights than the plan has")  # before memory is set aside for them
        device = pick_device(self.device)
        self._scaler = restore_scaler(header["scaling"], scaling, columns)
        with seeded(0, device):
            network = self._build(plan, self._scaler, copy.deepcopy(self.input_module)).to(device)
        network.load_state_dict(weights)
        self.plan_, self.network_ = plan, network.eval()
        self.n_features_in_ = columns
        self.history_, self.best_epoch_ = list(header["history"]), int(header["best_epoch"])

    def _compile(self, inputs: Inputs, scaler: Scaler, device: torch.device) -> EndNetwork:
        """A new network for these inputs, with a copy of the input module."""
        if self.input_module is None:
            module, n_features = None, n_columns(inputs)
        else:
            module = copy.deepcopy(self.input_module).to(device)
            n_features = output_size(module, inputs, device)
        if n_features is None:
            raise DataError("X must have shape (n_points, n_features); it has more dimensions. Pass input_module.")
        plan = compile_plan(self.schema, self.architecture, n_features, self.hidden_sizes)
        return self._build(plan, scaler, module).to(device)

    def _build(self, plan: Plan, scaler: Scaler, module: nn.Module | None) -> EndNetwork:
        usual = _COUNTS_INPUT_DROPOUT if scaler.kind == "counts" else 0.0
        input_dropout = usual if self.input_dropout is None else self.input_dropout
        make = (self.intermediate_module, self.head_module)
        return compile_network(plan, self.schema, module, *make, self.dropout, input_dropout)

    def _read(self, X: Any, what: str) -> Inputs:
        return read_inputs(X, what, self.input_module is not None)

    def _read_dev(self, dev: tuple[Any, Any], scaler: Scaler, columns: int | None) -> Dev:
        X, y = dev
        inputs, codes = self._read(X, "X of dev"), self.schema.end_codes(y)
        check_columns("X of dev", n_columns(inputs), columns)
        check_rows("y of dev", len(codes), len(inputs))
        return Dev(scaler.transform(inputs), codes)

    def _pick_threads(self, network: EndNetwork) -> int:
        if self.n_threads is not None:
            return self.n_threads
        small = sum(parameter.numel() for parameter in network.parameters()) < _SMALL_NETWORK
        return 1 if small and self.input_module is None else torch.get_num_threads()
