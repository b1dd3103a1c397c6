"""The ``serve`` command."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from metalwork.cli._streams import say
from metalwork.delivery import Predictor, ServerLimits, best_runtime, run_server, write_dockerfile


def run_serve(
    run: Path,
    host: str,
    port: int,
    hosts: Sequence[str] | None,
    model: str | None,
    run_code: bool,
    cut: Mapping[str, Any],
    limits: Mapping[str, int],
) -> None:
    """Answer requests until the process is told to end."""
    allowed = ServerLimits(**limits)  # before anything is loaded: the extra may be missing
    runtime = "torch" if model in ("label", "both") else best_runtime(run)
    predictor = Predictor.load(run, model=model, run_code=run_code, runtime=runtime)  # type: ignore[arg-type]
    found = predictor.cut(**cut)
    run_server(
        predictor,
        host,
        port,
        cut=found,
        limits=allowed,
        hosts=hosts,
        on_start=lambda address: say(f"Serving {predictor.name} at {address} (Ctrl+C ends it)"),
    )


def write_docker(run: Path, path: Path) -> None:
    """Write a Dockerfile."""
    write_dockerfile(run, path, Predictor.load(run).name)
    say(str(path))
