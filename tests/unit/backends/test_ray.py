"""Ray tasks give what this process gives, also where a worker is lost."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

import metalwork as mw
from metalwork.backends import get_backend
from metalwork.errors import ConfigError

pytestmark = pytest.mark.usefixtures("ray_cluster")


def test_it_has_a_name_and_checks_its_arguments() -> None:
    from metalwork.backends import RayBackend

    assert isinstance(get_backend("ray", 2), RayBackend)
    with pytest.raises(
        ConfigError, match=r"^n_jobs must be a whole number from 1, or None for one a core; got 0\.$"
    ):
        get_backend("ray", 0)


def test_results_stand_in_order_and_errors_are_raised_in_their_place() -> None:
    def invert(n: int) -> float:
        return 1 / n

    backend = get_backend("ray", 2)
    assert list(backend.map(invert, range(1, 9))) == [1 / n for n in range(1, 9)]
    results = backend.map(invert, [2, 0, 1])
    assert next(results) == 0.5
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_the_votes_are_those_of_one_process() -> None:
    schema = mw.TaskSchema.flat(["ham", "spam"])

    @mw.labeling_function(task="label")
    def long(text: str) -> Any:
        return "ham" if len(text) > 8 else mw.ABSTAIN

    lfs = [mw.keywords("label", "spam", ["win"]), long]
    records = [f"win {i}" if i % 3 else f"hello to you {i}" for i in range(300)]
    ours = mw.apply(lfs, records, schema, backend="ray", n_jobs=2, chunk_size=40)
    assert ours.codes.tolist() == mw.apply(lfs, records, schema).codes.tolist()


def test_an_item_whose_ray_process_is_killed_is_done_again(tmp_path: Path) -> None:
    def work(n: int) -> int:
        marker = tmp_path / "killed"
        if n == 2 and not marker.exists():
            marker.touch()
            os.kill(os.getppid(), signal.SIGKILL)  # the Ray process that this worker belongs to
        return n * n

    assert list(get_backend("ray", 2).map(work, range(5))) == [0, 1, 4, 9, 16]
    assert (tmp_path / "killed").exists()
