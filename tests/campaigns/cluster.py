"""Ray: two nodes on this machine; a worker is killed, then a whole node; the bytes are those of one process.

Each trial runs a small project once with ``backend: serial`` and three times on a cluster of two nodes with one
worker each: undisturbed, with a worker's process killed half-way, and with a node killed half-way.
"""

import hashlib
import logging
import os
import signal
import tempfile
import time
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

import metalwork as mw
from metalwork.pipeline import Event, Progress

_WITH_TIME = ("manifest.json", "report.html", ".lock")
_PROJECT = """\
name: cluster
schema: {{task: label, labels: [ham, spam]}}
data: {{train: ../train.parquet}}
lfs:
  backend: {backend}
  cache: false
  python: lfs.py
  rules:
    - {{task: label, label: spam, keywords: [win, prize]}}
    - {{task: label, label: ham, keywords: [hello]}}
features: {{text: text}}
end_model: {{max_epochs: 1, hidden_sizes: [4, 3]}}
output: {{shard_rows: 10000}}
"""
_LFS = """\
import metalwork as mw

@mw.labeling_function(task="label")
def tomorrow(text):
    return "ham" if "tomorrow" in text else None
"""


def run(trials: int | None, seed: int) -> int:
    """Print a line a run; 1 where one differs from the serial run."""
    warnings.simplefilter("ignore")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # a node that is killed says much
    failed = 0
    for trial in range(trials or 1):
        with tempfile.TemporaryDirectory() as folder:
            failed += _trial(Path(folder), seed + trial)
    print(f"{failed} of {3 * (trials or 1)} runs on the cluster differ from the serial run")
    return int(failed > 0)


def _trial(home: Path, seed: int) -> int:
    words = ["win a prize", "hello you", "see you tomorrow", "win at last", "nothing here"]
    texts = [f"{words[i % 5]} {words[(i * 7 + seed) % 5]} {i % 13}" for i in range(60_000)]
    pl.DataFrame({"text": texts}).write_parquet(home / "train.parquet")
    serial, seconds = _run(home / "serial", "serial", None)
    print(f"serial: {len(serial)} files, {seconds:.1f} s")
    failed = 0
    for name, harm in (
        ("undisturbed", None),
        ("a worker killed", _kill_a_worker),
        ("a node killed", _kill_a_node),
    ):
        with _Cluster() as cluster:
            found, seconds = _run(home / name.replace(" ", "-"), "ray", harm and partial(harm, cluster))
        differing = [file for file in {**serial, **found} if serial.get(file) != found.get(file)]
        failed += bool(differing)
        print(f"ray, two nodes, {name}: {seconds:.1f} s, files that differ: {', '.join(differing) or 'none'}")
    return failed


class _Cluster:
    """Two Ray nodes on this machine, with a worker each; this process is a client of the first."""

    def __enter__(self) -> Any:
        import ray
        from ray.cluster_utils import Cluster

        self.cluster: Any = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
        )
        self.node = self.cluster.add_node(num_cpus=1)
        ray.init(address=self.cluster.address, logging_level=logging.ERROR, log_to_driver=False)
        self.cluster.wait_for_nodes()
        return self

    def __exit__(self, *_: object) -> None:
        import ray

        ray.shutdown()
        self.cluster.shutdown()


def _kill_a_node(cluster: Any) -> None:
    cluster.cluster.remove_node(cluster.node, allow_graceful=False)


def _kill_a_worker(cluster: Any) -> None:
    """Kill one of the processes that Ray has for tasks, and with it the worker that it watches."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            title = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if title.startswith(b"ray::_do"):
            os.kill(int(process.name), signal.SIGKILL)
            return


def _run(folder: Path, backend: str, harm: Any) -> tuple[dict[str, str], float]:
    """Digests of a run's files, and its seconds; ``harm`` is done once, when a third of the records is labeled."""
    folder.mkdir()
    (folder / "lfs.py").write_text(_LFS)
    (folder / "project.yaml").write_text(_PROJECT.format(backend=backend))
    waiting = [harm] if harm is not None else []

    def listen(event: Event) -> None:
        if waiting and isinstance(event, Progress) and event.step == "apply" and event.done >= 20_000:
            waiting.pop()()

    start = time.perf_counter()
    mw.Run.open(folder / "project.yaml", run="one", on_event=listen).run()
    seconds = time.perf_counter() - start
    if waiting:
        raise RuntimeError("nothing was killed")
    home = folder / "runs" / "one"
    files = [path for path in sorted(home.rglob("*")) if path.is_file() and path.name not in _WITH_TIME]
    named = {path.relative_to(home).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    return {name: digest for name, digest in named.items() if not name.startswith("project/")}, seconds
