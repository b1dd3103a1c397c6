"""Stored models, votes, probabilities, featurizers, damaged and forged: the same answers, or one clear error."""

import contextlib
import io
import json
import os
import pickle
import signal
import struct
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import safetensors.torch
import torch
from safetensors import safe_open

import metalwork as mw
from metalwork._arrays import load_arrays, save_arrays
from metalwork.end_models._sealed import digest
from metalwork.errors import DataError, VotesError
from metalwork.features import Combined, Featurizer, NumericColumns
from metalwork.votes import Alphabet

MOST_SECONDS, MOST_MB = 10, 300
MOST_UNPACKED = 2**26  # bytes; bombs unpack to more
TRIALS = 5_000

SCHEMA = mw.TaskSchema.from_dict(
    {"task": "kind", "labels": [{"Mammal": {"task": "mammal", "labels": ["Cat", "Dog", "Ape"]}}, "Bird"]}
)
RNG = np.random.default_rng(0)
CODES = np.column_stack([RNG.integers(-1, n, 60) for n in (2, 2, 3, 3, 3)])
TASKS = ["kind", "kind", "mammal", "mammal", "mammal"]
VOTES = mw.LabelMatrix(CODES, SCHEMA, tasks=TASKS)
SETS = Alphabet(np.concatenate([Alphabet.of_labels(3).rows, [[0.2, 0.8, 0.0, np.nan], [1, 1, 0, np.nan]]]))
RICH = mw.LabelMatrix(
    np.column_stack([CODES, RNG.integers(-1, 5, 60)]),
    SCHEMA,
    [*TASKS, "mammal"],
    outcomes={"lf_5": SETS},
    record_ids=[f"r{i}" for i in range(60)],
    incidents=[["lf_0", 3, "a.csv", "ValueError: no"]],
)
TEXTS = [f"{['cat', 'dog', 'ape', 'bird'][i % 4]} number{i % 7} of stars" for i in range(60)]
ROWS = [{"text": text, "n": i % 5} for i, text in enumerate(TEXTS)]
PROBS = mw.TaskProbabilities(RNG.dirichlet(np.ones(4), 60), SCHEMA)
FOREST = mw.TaskForest([mw.TaskSchema.flat(["no", "yes"], task=tag) for tag in ("sport", "trade")])
FOREST_VOTES = FOREST.votes(RNG.integers(-1, 2, (60, 4)), tasks=["sport", "sport", "trade", "trade"])


class Kind(NamedTuple):
    """A kind of file: what saves one, and what loads it and answers with numbers."""

    save: Callable[[Path], object]
    use: Callable[[Path], list[Any]]


def _use_label_model(path: Path, votes: mw.LabelMatrix = VOTES) -> list[Any]:
    model = mw.load_label_model(path)
    repr(model)
    return [model.predict_proba(votes).end, model.predict(votes), [e.effect for e in model.explain(votes, 3)]]


def _use_votes(path: Path) -> list[Any]:
    votes = mw.LabelMatrix.load(path)
    summary = mw.lf_summary(votes)
    repr((votes, summary, votes.incidents))
    rows, weights = mw.label_models.count_votes(votes).rows()
    return [
        votes.codes,
        rows.codes,
        weights,
        votes.rows([1, 2]).codes,
        mw.MajorityVote(SCHEMA).fit(votes).predict(votes),
    ]


def _use_probabilities(path: Path) -> list[Any]:
    probs = mw.TaskProbabilities.load(path)
    return [probs.end, probs[probs.schema.tasks[-1]], probs.predict(), len(probs.to_frame())]


def _use_end_model(X: Any) -> Callable[[Path], list[Any]]:
    def use(path: Path) -> list[Any]:
        model = mw.EndModel.load(path)
        repr(model)
        return [model.predict_proba(X).end, len(model.history_)]

    return use


def _use_featurizer(path: Path) -> list[Any]:
    found = Featurizer.load(path)
    names = found.get_feature_names_out().tolist()
    made = found.transform(ROWS)
    return [made if isinstance(made, np.ndarray) else made.toarray(), [hash(name) for name in names]]


def _use_forest(path: Path) -> list[Any]:
    model = mw.ForestLabelModel.load(path)
    found = model.predict_proba(FOREST_VOTES)
    return [found[root] for root in FOREST.roots]


def _fit_end(X: Any, **options: Any) -> Callable[[Path], object]:
    return lambda path: mw.EndModel(SCHEMA, hidden_sizes=(4, 3), max_epochs=2, **options).fit(X, PROBS).save(path)


_DENSE = RNG.normal(size=(60, 5))
_BOTH = [mw.WordCounts(field="text"), NumericColumns(["n"])]
KINDS = {
    "default label model": Kind(lambda p: mw.HierarchicalLabelModel(SCHEMA).fit(VOTES).save(p), _use_label_model),
    "label model of sets": Kind(
        lambda p: mw.HierarchicalLabelModel(SCHEMA, strength={"lf_1": 9.0}).fit(RICH).save(p),
        lambda p: _use_label_model(p, RICH),
    ),
    "paper's label model": Kind(lambda p: mw.LogLinearLabelModel(SCHEMA).fit(VOTES).save(p), _use_label_model),
    "majority vote": Kind(lambda p: mw.MajorityVote(SCHEMA, "soft").fit(VOTES).save(p), _use_label_model),
    "forest's label model": Kind(lambda p: mw.ForestLabelModel(FOREST).fit(FOREST_VOTES).save(p), _use_forest),
    "votes": Kind(RICH.save, _use_votes),
    "probabilities": Kind(PROBS.save, _use_probabilities),
    "featurizer": Kind(lambda p: Combined(_BOTH).fit(ROWS).save(p), _use_featurizer),
    "end model": Kind(_fit_end(_DENSE), _use_end_model(_DENSE)),
    "end model of records": Kind(_fit_end(ROWS, featurizer=_BOTH), _use_end_model(ROWS)),
}

JUNK: list[Any] = [
    None,
    True,
    0,
    -1,
    3,
    2**31,
    10**30,
    0.5,
    -1.0,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "x",
    "\ud800",
]
JUNK += ["\x1b[31m", "../../x", [], [[]], ["x"], [0.5] * 4, {}, {"x": 1}, "a" * 10_000, [["a", "b"]] * 1_000]


class Trap:
    """Leaves a folder behind where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.mark),)


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """Bytes with something wrong anywhere, and as likely near the start or the end."""
    found = bytearray(data)
    kind, near = rng.integers(7), int(min(len(found), rng.choice([200, 2_000, len(found)])))
    place = int(rng.integers(near)) if rng.random() < 0.5 else len(found) - 1 - int(rng.integers(near))
    size = int(rng.integers(1, 64))
    if kind == 0:
        found[place] ^= 1 << int(rng.integers(8))
    elif kind == 1:
        for _ in range(4):
            found[int(rng.integers(len(found)))] = int(rng.integers(256))
    elif kind == 2:
        del found[place:]
    elif kind == 3:
        found[place : place + size] = bytes(size)
    elif kind == 4:
        found[place:place] = rng.bytes(size)
    elif kind == 5:
        del found[place : place + size]
    else:
        found += found[place:]
    return bytes(found)


def other_header(header: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """A header in which one value, anywhere in it, is something else or gone."""
    found: dict[str, Any] = json.loads(json.dumps(header))
    node: Any = found
    key: Any = None
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            break
        key = keys[int(rng.integers(len(keys)))]
        if not isinstance(node[key], dict | list) or not node[key] or rng.random() < 0.3:
            break
        node = node[key]
    if key is None or rng.random() < 0.1:
        node.clear()
    elif rng.random() < 0.15:
        del node[key]
    else:
        node[key] = JUNK[int(rng.integers(len(JUNK)))]
    return found


def other_arrays(arrays: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Arrays of which one has other values, another type or shape, or is gone, added or swapped."""
    found = {name: np.array(array) for name, array in arrays.items()}
    if not found:
        return {"more": np.zeros(3)}
    names = sorted(found)
    name, second = names[int(rng.integers(len(names)))], names[int(rng.integers(len(names)))]
    array, kind = found[name], int(rng.integers(12))
    if kind < 5 and array.size:
        value = [np.nan, np.inf, -1.0, 1e30, 7.0][kind]
        with np.errstate(invalid="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            array.reshape(-1)[int(rng.integers(array.size))] = np.array(value).astype(array.dtype)
    elif kind == 5:
        types = ["<f4", "<f8", "<i8", "?", "<u2", ">f8", "<f2"]
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found[name] = array.astype(types[int(rng.integers(len(types)))])
    elif kind == 6:
        found[name] = array.reshape(-1) if rng.random() < 0.5 else array[None]
    elif kind == 7:
        found[name] = array[: len(array) // 2] if array.ndim else np.zeros(2)
    elif kind == 8:
        found[name] = np.concatenate([array, array]) if array.ndim else np.zeros(0)
    elif kind == 9:
        found[name], found[second] = found[second], found[name]
    elif kind == 10:
        del found[name]
    else:
        found[f"{name}.9"] = array
    return found


def forged_npz(path: Path, rng: np.random.Generator) -> None:
    """Write another file of the same kind, whose digest is right."""
    kind = json.loads(_members(path)["header.npy"].partition(b"\n")[2])["format"]
    header, arrays = load_arrays(path, kind)
    header.pop("format")
    if rng.random() < 0.5:
        header = other_header(header, rng)
    else:
        arrays = other_arrays(arrays, rng)
    with contextlib.suppress(UnicodeEncodeError):  # half a surrogate pair cannot be written
        save_arrays(path, kind, header, arrays)


def _members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as stored:
        return {name: stored.read(name) for name in stored.namelist()}


def _npy(shape: str, data: bytes, kind: str = "<f8") -> bytes:
    head = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + data


def evil_npz(path: Path, rng: np.random.Generator, mark: Path) -> None:
    """Write an archive that is made to do harm."""
    parts = _members(path)
    names, kind, how = sorted(parts), int(rng.integers(10)), zipfile.ZIP_DEFLATED
    name = names[int(rng.integers(len(names)))]
    trap = io.BytesIO()
    np.save(trap, np.array([Trap(mark)], dtype=object), allow_pickle=True)
    deep = b'{"format":' + b"[" * int(rng.choice([300, 900, 100_000])) + b"}"
    changed = [
        {name: trap.getvalue()},
        {name: pickle.dumps(Trap(mark))},
        {f"{rng.choice(['/tmp', '..', 'C:'])}/x.npy": parts[name]},
        {name: _npy("(9999999999999,)", parts[name])},
        {name: _npy("(-5, 3)", parts[name])},
        {name: _npy("(((((" * 50, b"")},
        {name: _npy("(3,)", b"abc" * 8, "|O")},
        {"header.npy": _npy(f"({len(deep)},)", deep, "|u1")},
        {name: _npy(f"({2 * MOST_UNPACKED},)", bytes(2 * MOST_UNPACKED), "|u1")},
        {},
    ][kind]
    if kind == 9:
        how = int(rng.choice([zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]))
    with zipfile.ZipFile(path, "w", how) as stored, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for part, content in (parts | changed).items():
            stored.writestr(part, content)
        if rng.random() < 0.1:
            stored.writestr(name, parts[name])  # twice


def _tensors(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    with safe_open(path, framework="pt") as stored:
        told = json.loads(stored.metadata()["metalwork"])
        return told, {name: stored.get_tensor(name).numpy() for name in stored.keys()}  # noqa: SIM118


def forged_safetensors(path: Path, rng: np.random.Generator) -> None:
    """Write another end model, whose digest is right."""
    header, arrays = _tensors(path)
    header.pop("sha256")
    if rng.random() < 0.5:
        header = other_header(header, rng)
    else:
        arrays = other_arrays(arrays, rng)
    native = {n: np.array(a, a.dtype.newbyteorder("="), order="C") for n, a in arrays.items()}
    tensors = {name: torch.from_numpy(array) for name, array in native.items()}
    with contextlib.suppress(ValueError):  # not finite numbers have no digest
        header["sha256"] = digest(header, tensors)
    path.write_bytes(safetensors.torch.save(tensors, {"metalwork": json.dumps(header)}))


def evil_safetensors(path: Path, rng: np.random.Generator, mark: Path) -> None:
    """Write a file that is made to do harm."""
    data, kind = path.read_bytes(), int(rng.integers(6))
    size = struct.unpack("<Q", data[:8])[0]
    head = json.loads(data[8 : 8 + size])
    name = sorted(set(head) - {"__metadata__"})[0]
    if kind == 0:
        path.write_bytes(pickle.dumps(Trap(mark)))
    elif kind == 1:
        path.write_bytes(struct.pack("<Q", int(rng.choice([0, 2**40, 2**63]))) + data[8:])
    elif kind == 2:
        torch.save({"weights": torch.zeros(2)}, path)
    else:
        if kind == 3:
            head[name]["shape"] = [10**12, 3]
        elif kind == 4:
            head[name]["data_offsets"] = [0, 2**50]
        else:
            head["__metadata__"]["metalwork"] = '{"schema":' + "[" * int(rng.choice([900, 100_000]))
        text = json.dumps(head).encode()
        path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + size :])


def change(path: Path, how: str, rng: np.random.Generator, mark: Path) -> None:
    """Change the file in place."""
    is_npz = path.read_bytes()[:2] == b"PK"
    if how == "damaged":
        path.write_bytes(damaged(path.read_bytes(), rng))
    elif how == "forged":
        (forged_npz if is_npz else forged_safetensors)(path, rng)
    else:
        (evil_npz if is_npz else evil_safetensors)(path, rng, mark)


@contextlib.contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """A ``TimeoutError`` where what is inside takes longer."""

    def stop(*_: Any) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _peak_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1024


def _alike(found: list[Any], expected: list[Any]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))


def outcome(path: Path, use: Callable[[Path], list[Any]], expected: list[Any], forged: bool) -> str:
    """What loading and using a file comes to; anything but the first three is a fault."""
    try:
        with at_most(MOST_SECONDS), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = use(path)
    except DataError as error:
        text = str(error)
        if forged and text.startswith("X must be"):  # a sound model, of other features
            return "sound, not the same"
        if not text.startswith(f"{path}: "):
            return f"unnamed: {text[:80]}"
        return "refused" if len(text) < 1_000 and text.isprintable() else f"unfit to print: {text[:80]!r}"
    except TimeoutError:
        return f"took over {MOST_SECONDS} s"
    except VotesError as error:
        of_another = forged and "differ" in str(error)  # a sound model, of other LFs or another schema
        return "sound, not the same" if of_another else f"raw VotesError: {str(error)[:90]}"
    except BaseException as error:
        return f"raw {type(error).__name__}: {str(error)[:90]}"
    if len(found) == len(expected) and _alike(found, expected):
        return "the same"
    sound = all(np.isfinite(np.asarray(part, dtype=np.float64)).all() for part in found)
    return "sound, not the same" if forged and sound else "other answers"


def run(trials: int | None = None, seed: int = 0) -> int:
    """Print a table of what came of so many changed files; 0 where nothing is at fault."""
    rng, found, faults = np.random.default_rng(seed), Counter[tuple[str, str, str]](), Counter[str]()
    most, before = os.environ.get("METALWORK_MAX_UNPACKED"), time.perf_counter()
    os.environ["METALWORK_MAX_UNPACKED"] = str(MOST_UNPACKED)
    with tempfile.TemporaryDirectory() as name:
        folder, mark = Path(name), Path(name) / "sprung"
        expected = {}
        for title, kind in KINDS.items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                kind.save(folder / title)
                expected[title] = kind.use(folder / title)
        for _ in range(trials or TRIALS):
            title = list(KINDS)[int(rng.integers(len(KINDS)))]
            how = ["damaged", "forged", "made to harm"][int(rng.choice(3, p=[0.4, 0.45, 0.15]))]
            path = folder / "changed"
            path.write_bytes((folder / title).read_bytes())
            change(path, how, rng, mark)
            Path("/proc/self/clear_refs").write_text("5")
            start = _peak_mb()
            came = outcome(path, KINDS[title].use, expected[title], how == "forged")
            if mark.exists():
                came, _ = "executed", mark.rmdir()  # type: ignore[func-returns-value]
            elif _peak_mb() - start > MOST_MB:
                came = f"took over {MOST_MB} MB"
            if came not in ("the same", "refused", "sound, not the same"):
                faults[f"{title}, {how}: {came}"] += 1
                came = "FAULT"
            found[title, how, came] += 1
    os.environ.pop("METALWORK_MAX_UNPACKED")
    if most is not None:
        os.environ["METALWORK_MAX_UNPACKED"] = most
    _show(found, faults, trials or TRIALS, time.perf_counter() - before)
    return 1 if faults else 0


def _show(found: Counter[tuple[str, str, str]], faults: Counter[str], trials: int, seconds: float) -> None:
    columns = ("the same", "refused", "sound, not the same", "FAULT")
    print(f"{trials:,} changed files in {seconds:.0f} s: {sum(faults.values())} faults\n")
    print("| file | change | " + " | ".join(columns) + " |\n|" + "---|" * 6)
    for title, how in sorted({key[:2] for key in found}):
        print(f"| {title} | {how} | " + " | ".join(str(found[title, how, came]) for came in columns) + " |")
    for fault, count in faults.most_common():
        print(f"{count:6} {fault}")
