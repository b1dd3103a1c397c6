"""Bad input files: each is read, or refused by one message that names it; nothing else, and within ten seconds."""

import io
import random
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

import polars as pl
from typer.testing import CliRunner

from metalwork.cli import app
from metalwork.data import read_records
from metalwork.errors import MetalworkError
from tests.campaigns._bad_files import FRAME, PACKERS, TEXTS, Case, cases

SLOW = 10.0  # seconds
GOOD = ("read", "refused")
PROJECT = """
schema: {task: kind, labels: [A, B]}
data: {train: FILE}
lfs: {rules: [{keywords: [fur], task: kind, label: A}, {keywords: [key], task: kind, label: B}]}
features: {text: text}
"""


def run(trials: int | None, seed: int) -> int:
    """Read the files made by hand, from Python and through the command, and mutations of sound ones."""
    tables: dict[str, Counter[str]] = {}
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made_outcome(cases()[0], Path(folder) / "first", apply_outcome)  # imports take their time
        for way, outcome_of in (("open_records", read_outcome), ("metalwork apply", apply_outcome)):
            found = tables.setdefault(f"made by hand, {way}", Counter())
            for i, case in enumerate(cases()):
                outcome = made_outcome(case, Path(folder) / f"{way[0]}{i}", outcome_of)
                found[outcome.split(":")[0]] += 1
                faults += [f"{case.name} ({way}): {outcome}"] * (outcome not in GOOD)
        for way, outcome_of, count in (
            ("open_records", read_outcome, trials or 5_000),
            ("metalwork check", check_outcome, (trials or 5_000) // 10),
        ):
            found = tables.setdefault(f"mutations, {way}", Counter())
            for name, content in mutations(count, seed):
                path = Path(folder) / name
                path.write_bytes(content)
                outcome = outcome_of(path, {})
                found[outcome.split(":")[0]] += 1
                faults += [f"{name} ({way}): {outcome}"] * (outcome not in GOOD)
    for title, found in tables.items():
        print(
            f"{title:<32}{sum(found.values()):>7,} files   "
            + ", ".join(f"{n:,} {k}" for k, n in found.most_common())
        )
    print(*faults[:40], sep="\n")
    return int(bool(faults))


def made_outcome(case: Case, folder: Path, outcome_of: Callable[[Path, dict[str, Any]], str]) -> str:
    """What becomes of a file made by hand; ``wrong: ...`` where it should have been otherwise."""
    folder.mkdir()
    path = folder / case.file
    case.make(path)
    outcome = outcome_of(path, case.options)
    if outcome in GOOD and outcome_of is read_outcome and case.outcome not in ("either", outcome):
        return f"wrong: {outcome}, not {case.outcome}"
    return outcome


def read_outcome(path: Path, options: dict[str, Any]) -> str:
    """What becomes of a file that is read whole from Python."""
    start, said = time.perf_counter(), io.StringIO()
    try:
        with redirect_stderr(said):
            read_records(path, **options)
        outcome = "read"
    except MetalworkError as error:
        outcome = "refused" if _names(str(error), path) else f"unnamed: {str(error)[:200]}"
    except BaseException as error:
        outcome = f"raw: {type(error).__name__}: {str(error)[:200]}"
    return outcome if time.perf_counter() - start < SLOW else f"slow: {outcome}"


def apply_outcome(path: Path, options: dict[str, Any]) -> str:
    """What becomes of it in ``metalwork apply``."""
    return _command_outcome("apply", path, options)


def check_outcome(path: Path, options: dict[str, Any]) -> str:
    """What becomes of it in ``metalwork check``."""
    return _command_outcome("check", path, options)


def _command_outcome(command: str, path: Path, options: dict[str, Any]) -> str:
    project = path.with_name("project.yaml")
    keys = "".join(f", {name}: {value}" for name, value in options.items())
    project.write_text(PROJECT.replace("FILE", f'"{path.name}"{keys}'))
    start = time.perf_counter()
    result = CliRunner().invoke(app, [command, str(project)])
    if time.perf_counter() - start > SLOW:
        return "slow: " + result.output[-200:]
    if any(sign in result.output for sign in ("Traceback", "panicked", "\x1b]", "\u202e")):
        return "traceback: " + result.output[-200:]
    if result.exit_code == 1 and "Error: " in result.output:
        return "refused"
    return "read" if result.exit_code == 0 else f"exit {result.exit_code}: {result.output[-200:]}"


def _names(message: str, path: Path) -> bool:
    return str(path) in message or message.startswith("records must have at least one column")


def mutations(count: int, seed: int) -> list[tuple[str, bytes]]:
    """Names and contents of sound files in which bytes were changed, cut, doubled or put in."""
    draw = random.Random(seed)
    sound = {f"m{suffix}": text.encode() * (1 if suffix == ".json" else 3) for suffix, text in TEXTS.items()}
    for suffix, pack in PACKERS.items():
        sound[f"m.csv{suffix}"] = pack(TEXTS[".csv"].encode())
    nested = FRAME.with_columns(l=pl.Series([[1, 2], [], None, [3]]), s=pl.struct("n", "text"))
    for name, write in (("m.parquet", nested.write_parquet), ("m.arrow", nested.write_ipc)):
        out: Any = io.BytesIO()
        write(out)
        sound[name] = out.getvalue()
    return [_mutated(draw, *draw.choice(list(sound.items()))) for _ in range(count)]


def _mutated(draw: random.Random, name: str, content: bytes) -> tuple[str, bytes]:
    bad = bytearray(content)
    for _ in range(draw.choice([1, 1, 2, 8])):
        at, size = draw.randrange(len(bad) + 1), draw.choice([1, 1, 4, 50])
        kind = draw.randrange(5)
        if kind == 0 and at < len(bad):
            bad[at] = draw.choice([0, 10, 13, 34, 44, 91, 92, 123, 255, draw.randrange(256)])
        elif kind == 1:
            bad[at : at + size] = draw.randbytes(size)
        elif kind == 2:
            del bad[at : at + size]
        elif kind == 3:
            bad[at:at] = bad[at : at + size]
        elif draw.random() < 0.3:
            del bad[at:]
    return name, bytes(bad)
