"""The end model: a scikit-learn style estimator around the compiled network."""

import os
from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from torch import nn

from metalwork.end_models._delivered import Delivered
from metalwork.end_models._fitting import fit_in_parts, fit_whole
from metalwork.end_models._scaling import Scaler
from metalwork.end_models._storage import Fitted, load_model, save_model
from metalwork.end_models._watching import Callback, Record
from metalwork.end_models.network import EndNetwork, ModuleFactory
from metalwork.end_models.plan import Plan
from metalwork.features import Featurizer
from metalwork.schema import TaskSchema


class EndModel(Delivered):
    """A multi-task network that is compiled from the task schema and trained on probabilistic labels.

    Paper, section 4. Each task has a head: a distribution over its labels, given that the task applies. The
    probability of an end label is the product of its path's, so the heads always agree. Trained to minimise the
    cross-entropy expected under the label model (:func:`metalwork.end_models.noise_aware_loss`) by AdamW, with a
    rate that falls to 0 along half a cosine. At a fixed thread count and ``random_state``, fits are bit-identical
    on the CPU. Cost: linear in records, parameters read by a record, and epochs.

    Parameters
    ----------
    schema : TaskSchema
    architecture : {"tree", "hier", "levels", "flat", "single", "linear"}
        See :func:`metalwork.end_models.compile_plan`. ``"hier"``, ``"flat"`` and ``"single"`` are the paper's.
        ``"linear"`` has one minimum, which L-BFGS finds: of the arguments below it heeds ``l2``, ``scaling``,
        ``max_epochs`` (iterations, 500 by default), ``featurizer`` and its modules, with one of which it is
        trained as the others are.
    hidden_sizes : sequence of int, optional
        Sizes of the intermediate layers from the input upwards: (250,) for ``"tree"``, else (250, 50).
    input_module : nn.Module, optional
        From a batch of raw records (a float tensor, or a list when ``X`` is a sequence) to a float tensor
        (n_rows, D_0). ``fit`` trains a copy. The identity by default.
    random_state : int or None
        Seed of weights, order and dropout; None draws a new one each time.
    intermediate_module, head_module : callable, optional
        ``make(in_size, out_size)`` returns an ``nn.Module`` in place of linear + ReLU, and of a linear head.
    scaling : {"auto", "counts", "rows", "standard", "none"}
        ``"counts"``: log(1 + x), rows of one length. ``"rows"``: rows of that length. ``"standard"``: mean 0 and
        deviation 1 a feature, of dense features. ``"auto"``: standard for dense features, but rows where all have
        length 1; of a sparse matrix counts for whole numbers, rows where all have one length, else none.
    dropout : float in [0, 1)
        Of the default layers' outputs.
    input_dropout : float in [0, 1), optional
        Of the features. By default 0.2 where the scaling is ``"counts"`` or ``"rows"``, so that the network
        learns from other words than those the labeling functions look for; else 0.
    max_epochs : int, optional
        By default 20, or as many as make 300 steps; with a transformer that was trained before 4, or 100 steps.
    lr : float, optional
        The highest rate of a step. By default 1e-3 where the first layer has 250 units or more, and with fewer as
        many times more, up to 1e-2: they would not get far in 300 steps.
    batch_size, weight_decay
        Records a step; decoupled weight decay.
    patience : int, optional
        Stop after this many epochs without a lower dev loss.
    n_threads : int, optional
        torch threads while fitting and predicting. By default 1 for networks without input module below 10
        million parameters, where more are slower; else torch's own number.
    device : {"cpu", "cuda", "auto"}
        ``"auto"`` takes a GPU where there is one.
    featurizer : Featurizer or sequence of Featurizer, optional
        What turns records into features, such as :class:`metalwork.WordCounts`; several stand side by side. With
        it, ``X`` is everywhere records: a data frame, a list of dicts or of texts, files. ``fit`` fits a copy on
        those that count, and the model's file holds it. Not together with ``input_module``.
    optimizer : {"adamw", "adam", "sgd"}
        SGD has a momentum of 0.9 and wants a higher ``lr``; it and Adam add ``weight_decay`` to the gradient.
    schedule : {"cosine", "linear", "constant"}
        How the rate falls from ``lr``: to 0 along half a cosine or a line, or not at all.
    warmup : float in [0, 1)
        Share of the steps over which the rate rises to ``lr`` first.
    max_grad_norm : float, optional
        Gradients whose common norm is above it are scaled down to it.
    precision : {"float32", "bf16", "auto"}
        Of what mini-batches are computed in; weights stay float32. ``"auto"``: bf16 on a GPU that has it.
    l2 : float
        Penalty of ``"linear"``, which is scikit-learn's ``LogisticRegression(C=1 / l2)`` for known labels.
    balance_levels : bool
        Whether known labels finer than others weigh more, so that heads count for all records of their branch.
    unsupervised : {"error", "warn"}
        What becomes of probabilities that say nothing of a task: a ``VotesError``, or a warning and a head that is
        left to chance, as in a project whose labeling functions are still being written.

    Attributes
    ----------
    plan_ : Plan
        The compiled network, to print.
    network_ : EndNetwork
    history_ : list of dict
        One an epoch: ``epoch``, ``loss``, ``seconds`` and, with dev, ``dev_loss`` and ``dev_accuracy``.
    best_epoch_ : int
        The epoch (from 1) whose weights were kept.
    temperature_ : float
        Above 1 where dev labels show the network to be too sure; 1 without dev. Guo et al., 2017.
    n_features_in_ : int or None
        Columns of ``X``, or features that the featurizer makes; None for records that are no matrix.
    feature_names_in_ : object array (n_features,)
        Names of the columns, only there where ``X`` was a frame of features.
    featurizer_ : Featurizer
        The fitted copy of ``featurizer``, only there where one was given.
    classes_ : object array (n_end_labels,)
        Names of the end labels, whose positions ``predict`` returns; after known labels by name, names.
    """

    _estimator_type = "classifier"
    _called_before = "it predicts or is saved. Call fit(X, probs) first."
    plan_: Plan
    network_: EndNetwork
    history_: list[Record]
    best_epoch_: int
    temperature_: float
    n_features_in_: int | None
    feature_names_in_: npt.NDArray[np.object_]
    featurizer_: Featurizer
    _scaler: Scaler
    _named: bool

    def __init__(
        self,
        schema: TaskSchema,
        architecture: str = "tree",
        hidden_sizes: Sequence[int] | None = None,
        input_module: nn.Module | None = None,
        random_state: int | None = 0,
        *,
        intermediate_module: ModuleFactory | None = None,
        head_module: ModuleFactory | None = None,
        scaling: str = "auto",
        dropout: float = 0.0,
        input_dropout: float | None = None,
        max_epochs: int | None = None,
        lr: float | None = None,
        batch_size: int = 64,
        weight_decay: float = 0.01,
        patience: int | None = None,
        n_threads: int | None = None,
        device: str = "cpu",
        featurizer: Featurizer | Sequence[Featurizer] | None = None,
        optimizer: str = "adamw",
        schedule: str = "cosine",
        warmup: float = 0.0,
        max_grad_norm: float | None = None,
        precision: str = "float32",
        l2: float = 1.0,
        balance_levels: bool = True,
        unsupervised: str = "error",
    ) -> None:
        self.schema = schema
        self.architecture = architecture
        self.hidden_sizes = hidden_sizes
        self.input_module = input_module
        self.random_state = random_state
        self.intermediate_module, self.head_module = intermediate_module, head_module
        self.scaling = scaling
        self.dropout, self.input_dropout = dropout, input_dropout
        self.max_epochs = max_epochs
        self.lr = lr
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.patience = patience
        self.n_threads, self.device = n_threads, device
        self.featurizer = featurizer
        self.optimizer, self.schedule, self.warmup = optimizer, schedule, warmup
        self.max_grad_norm = max_grad_norm
        self.precision = precision
        self.l2, self.balance_levels = l2, balance_levels
        self.unsupervised = unsupervised

    def fit(
        self,
        X: Any,
        probs: Any,
        dev: tuple[Any, Any] | None = None,
        sample_weight: Any = None,
        callbacks: Sequence[Callback] = (),
        checkpoint: str | os.PathLike[str] | None = None,
    ) -> Self:
        """Train on probabilistic or known labels.

        Parameters
        ----------
        X : float array, SciPy sparse matrix or data frame (n_points, n_features), or records (n_points,)
            Finite. Sparse matrices stay sparse; columns of frames are known by name from here on. Records go with
            a featurizer or an input module.
        probs : TaskProbabilities (n_points,), their array, or known labels (n_points,)
            Of the model's schema. Known labels are names or codes of end labels, or names of inner labels, from
            which the tasks above learn alone; records without one (None, NaN, "", -1) are left out.
        dev : (X_dev, y_dev), optional
            A few records with known labels: the last epoch whose dev errors are within two standard errors of the
            fewest is kept, and its probabilities calibrated. A prediction under a coarse label is right.
        sample_weight : float array (n_points,), optional
            At least 0, not all 0; 0 leaves a record out altogether, as is advised for records no labeling function
            voted on.
        callbacks : sequence of callable
            Each is called after every epoch with its record in ``history_``. One with a method ``on_progress`` is
            told several times a second how far it is: a :class:`metalwork.end_models.TrainingProgress`.
        checkpoint : path, optional
            A file that keeps the state of training every few seconds. Where it is there, a fit that was ended goes
            on from it, and ends at the same bits; a finished one takes it away.

        Raises
        ------
        ConfigError
            For an argument out of range or of the wrong kind, or a loss that is no longer finite.
        CheckpointError
            For a checkpoint of other records, arguments or schema, or a damaged one.
        DataError
            For an ``X`` or ``sample_weight`` of the wrong shape, or not finite.
        VotesError
            For probabilities or labels that do not fit the schema; for probabilities that say nothing of a task.
        """
        return self._keep(fit_whole(self, X, probs, dev, sample_weight, callbacks, checkpoint))

    def fit_parts(
        self,
        parts: Iterable[Any],
        dev: tuple[Any, Any] | None = None,
        callbacks: Sequence[Callback] = (),
        checkpoint: str | os.PathLike[str] | None = None,
    ) -> Self:
        """Train on records that come in parts, in memory that does not grow with their number.

        The network is bit for bit that of :meth:`fit` on all of them at once. Features are made once and kept in a
        temporary file, in the folder that ``TMPDIR`` names: 8 bytes a word of a text, 4 a number.

        Parameters
        ----------
        parts : iterable of (X, probs) or (X, probs, sample_weight)
            Each as :meth:`fit` takes them. With a featurizer it is read twice, so it must be a list or an object
            whose ``__iter__`` starts anew. Parts without a record that counts are passed over.
        dev, callbacks, checkpoint
            As for :meth:`fit`; the dev records are held in memory.

        Raises
        ------
        ConfigError, DataError, VotesError
            As :meth:`fit`, naming the part; for parts whose columns differ; for records that are no arrays where
            there is an input module.
        """
        return self._keep(fit_in_parts(self, parts, dev, callbacks, checkpoint))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted model to one safetensors file, whole or not at all; equal fits give equal files.

        Weights, arguments, history (but its seconds) and featurizer are stored; code is not, so a model with
        modules of its own needs them again in :meth:`load`.

        Raises
        ------
        ConfigError
            When the featurizer holds code, such as a tokenizer of one's own.
        """
        self._check_fitted()
        found = self.network_, self._scaler, self._columns, self.history_, self.best_epoch_
        save_model(path, self, Fitted(*found, vars(self).get("featurizer_"), self._named))

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
        modules = {
            "input_module": input_module,
            "intermediate_module": intermediate_module,
            "head_module": head_module,
        }
        model, fitted = load_model(path, cls, modules, device)
        kept: Self = model._keep(fitted)
        return kept

    def _keep(self, fitted: Fitted) -> Self:
        self.plan_, self.network_, self._scaler = fitted.network.plan, fitted.network, fitted.scaler
        self.n_features_in_ = fitted.columns.number
        for name in ("feature_names_in_", "featurizer_"):
            vars(self).pop(name, None)
        if fitted.featurizer is not None:
            self.featurizer_ = fitted.featurizer
        if fitted.columns.names is not None:
            self.feature_names_in_ = np.array(fitted.columns.names, dtype=object)
        self.history_, self.best_epoch_ = fitted.history, fitted.best_epoch
        self.temperature_, self._named = 1.0 / fitted.network.power, fitted.named
        return self
