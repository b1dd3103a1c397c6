"""Training as other tools show it: callbacks of :meth:`EndModel.fit` for TensorBoard and MLflow."""

import os
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from metalwork.end_models._watching import Record
from metalwork.errors import MissingExtraError


class TensorBoardLogger:
    """Writes what each epoch came to into a folder that TensorBoard shows (extra ``tensorboard``).

    Parameters
    ----------
    folder : path
        Of one fit; TensorBoard is pointed at the folder above, and shows several side by side.

    Raises
    ------
    MissingExtraError
        Without the package ``tensorboardX``.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._writer = _module("tensorboardX", "tensorboard").SummaryWriter(os.fspath(folder), flush_secs=1)

    def __call__(self, record: Record) -> None:
        """Write an epoch's record of ``history_``."""
        for name, value in _numbers(record).items():
            self._writer.add_scalar(name, value, record["epoch"])

    def close(self) -> None:
        """Write what is not on disk yet; within a second or two it is there without."""
        self._writer.close()


class MLflowLogger:
    """Logs what each epoch came to as metrics of an MLflow run (extra ``mlflow``).

    Parameters
    ----------
    experiment : str
        Made where it does not exist.
    tracking_uri : str
        A database or a server. MLflow no longer takes plain folders: the default is a SQLite file in the working
        folder, which ``mlflow ui --backend-store-uri`` shows.
    run_name : str, optional
    parameters : dict, optional
        Of the run, such as ``model.get_params(deep=False)``; what they are shown as.

    Attributes
    ----------
    run_id : str
        Of the run, which is finished by :meth:`close`.

    Raises
    ------
    MissingExtraError
        Without the package ``mlflow``.
    """

    def __init__(
        self,
        experiment: str = "metalwork",
        tracking_uri: str = "sqlite:///mlflow.db",
        run_name: str | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        self._client = _module("mlflow", "mlflow").MlflowClient(tracking_uri=tracking_uri)
        known = self._client.get_experiment_by_name(experiment)
        number = self._client.create_experiment(experiment) if known is None else known.experiment_id
        self.run_id: str = self._client.create_run(number, run_name=run_name).info.run_id
        for name, value in (parameters or {}).items():
            self._client.log_param(self.run_id, name, str(value)[:500])

    def __call__(self, record: Record) -> None:
        """Log an epoch's record of ``history_``."""
        for name, value in _numbers(record).items():
            self._client.log_metric(self.run_id, name, value, step=record["epoch"])

    def close(self) -> None:
        """Mark the run as finished."""
        self._client.set_terminated(self.run_id)


def _numbers(record: Record) -> dict[str, float]:
    return {name: float(value) for name, value in record.items() if name != "epoch"}


def _module(name: str, extra: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise MissingExtraError(name, extra, "Logging to it") from None
