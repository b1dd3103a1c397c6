"""Ray Train sets processes up; an end model in them finds what one process does."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import metalwork as mw

pytestmark = pytest.mark.filterwarnings("ignore")  # Ray's own


@pytest.mark.usefixtures("ray_cluster")
def test_two_workers_find_what_one_process_does(tmp_path: Path) -> None:
    torch_trainer = pytest.importorskip("ray.train.torch", exc_type=ImportError)
    from ray.train import RunConfig, ScalingConfig

    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 5)).astype(np.float32)
    y = (X[:, 0] > 0).astype(int)
    schema, path = mw.TaskSchema.flat(["less", "more"]), str(tmp_path / "model.safetensors")

    def model() -> Any:
        return mw.EndModel(schema, hidden_sizes=(8,), max_epochs=3, batch_size=24)

    def work() -> None:
        import torch.distributed

        assert torch.distributed.get_world_size() == 2
        found = model().fit(X, y)
        if torch.distributed.get_rank() == 0:
            found.save(path)

    torch_trainer.TorchTrainer(
        work,
        scaling_config=ScalingConfig(num_workers=2),
        torch_config=torch_trainer.TorchConfig(backend="gloo"),
        run_config=RunConfig(storage_path=str(tmp_path)),
    ).fit()
    together = mw.EndModel.load(path).predict_proba(X).end
    np.testing.assert_allclose(together, model().fit(X, y).predict_proba(X).end, atol=1e-6)
