"""What tests of several folders share; none reads or writes what the user keeps."""

import os
from collections.abc import Iterator

import pytest

from metalwork.data import cache_folder

os.environ.setdefault("METALWORK_DATA", str(cache_folder()))  # data sets that have been fetched are still found


@pytest.fixture(autouse=True, scope="session")
def _a_cache_folder_for_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("METALWORK_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def _a_cache_folder_a_test(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METALWORK_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[None]:
    """A Ray cluster of two workers on this machine; tests that ask for it are skipped where Ray is missing."""
    ray = pytest.importorskip("ray")
    ray.init(num_cpus=2, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
    yield
    ray.shutdown()
