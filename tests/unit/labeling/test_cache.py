"""Votes that are kept: an edit of what an LF depends on runs it anew, and nothing else runs."""

import os
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import metalwork as mw
from metalwork.labeling import _labeler, _origins, _votes
from metalwork.pipeline._code import run_file
from metalwork.pipeline._watching import CodeFiles

SCHEMA = mw.TaskSchema.flat(["ham", "spam"], task="kind")
RECORDS: list[dict[str, Any]] = [
    {"text": "Win a FREE prize", "n": "3"},
    {"text": "hello there, offer", "n": "7"},
    {"text": "lunch?", "n": "x"},
    {"text": "winter offer for you and me", "n": None},
]
HELPER = """
from inner import tidy

LOUD = 1

def norm(text):
    return tidy(text).lower()

def loud(text):
    return sum(map(str.isupper, text)) > LOUD

def unused(text):
    return 1

class Scorer:
    weight = 2

    def __init__(self, least):
        self.least = least

    def score(self, text):
        return self.weight * text.count("o")

    def __call__(self, text):
        return "spam" if self.score(text) > self.least else None
"""
INNER = """
def tidy(text):
    return text.strip()
"""
LFS = '''
import functools
import re
from dataclasses import dataclass
from pathlib import Path

import helper
import metalwork as mw
from helper import Scorer, norm

WORDS = ["win", "prize"]
TABLE = {"hello": "ham", "win": "spam"}
KEYS = {"you", "me", "us"}
PATTERN = re.compile("offer")
FOLDER = Path(__file__).parent

@functools.lru_cache
def lookup():
    return frozenset((FOLDER / "words.txt").read_text().split())

def make(limit):
    def longer(text):
        return "spam" if len(text) > limit else None
    return longer

@dataclass
class Rule:
    word: str = "lunch"

RULE = Rule()

@mw.preprocessor(output="clean")
def clean(text):
    return norm(text)

@mw.preprocessor(output="parts")
def parts(clean):
    return clean.split()

@mw.labeling_function(task="kind")
def constant(text):
    """A docstring."""
    return "spam" if "Win" in text else None  # a comment

@mw.labeling_function(task="kind")
def listed(text):
    return "spam" if any(word in text.lower() for word in WORDS) else None

@mw.labeling_function(task="kind")
def table(text):
    return next((label for word, label in TABLE.items() if word in text.lower()), None)

@mw.labeling_function(task="kind")
def keyed(text):
    return "ham" if KEYS & set(text.split()) else None

@mw.labeling_function(task="kind")
def pattern(text):
    return "spam" if PATTERN.search(text) else None

@mw.labeling_function(task="kind")
def helped(text):
    return "ham" if norm(text).startswith("h") else None

@mw.labeling_function(task="kind")
def by_module(text):
    return "spam" if helper.loud(text) else None

@mw.labeling_function(task="kind")
def looked_up(text):
    return "ham" if lookup() & set(text.split()) else None

@mw.labeling_function(task="kind")
def defaults(text, limit=10):
    return "ham" if len(text) < limit else None

@mw.labeling_function(task="kind")
def ruled(text):
    return "ham" if RULE.word in text else None

@mw.labeling_function(task="kind")
def inside(text):
    from inner import tidy
    return "ham" if len(tidy(text)) == 6 else None

@mw.labeling_function(task="kind")
def cleaned(clean):
    return "spam" if "free" in clean else None

@mw.labeling_function(task="kind")
def parted(parts):
    return "spam" if len(parts) > 5 else None

@mw.labeling_function(task="kind")
def after(text, constant):
    return "spam" if constant == "spam" and "a" in text else None

@mw.labeling_function(task="kind")
def typed(n: int):
    return "spam" if n > 5 else None

@mw.labeling_function(task="kind", batch=True)
def batched(text):
    return ["spam" if len(one) > 17 else None for one in text]

closed = mw.from_callable(make(16), "kind", name="closed")
scored = mw.from_callable(Scorer(2), "kind", name="scored", fields=["text"])
words = mw.keywords("kind", "spam", ["free"], name="words")
clean_words = mw.keywords("kind", "spam", ["prize"], field="clean", name="clean_words")
'''
FILES = {"lfs.py": LFS, "helper.py": HELPER, "inner.py": INNER, "words.txt": "lunch hello"}
CLEANED = {"cleaned", "parted", "clean_words"}
EDITS: list[tuple[str, str, str, set[str]]] = [
    ("lfs.py", '"Win" in text', '"win" in text', {"constant", "after"}),
    ("lfs.py", '"Win" in text else None', '"Win" in text else "ham"', {"constant", "after"}),
    ("lfs.py", '["win", "prize"]', '["win", "winter"]', {"listed"}),
    ("lfs.py", '["win", "prize"]', '["prize", "win"]', {"listed"}),
    ("lfs.py", '"win": "spam"}', '"win": "ham"}', {"table"}),
    ("lfs.py", '{"hello": "ham", "win": "spam"}', '{"win": "spam", "hello": "ham"}', {"table"}),
    ("lfs.py", '"me", "us"}', '"me", "we"}', {"keyed"}),
    ("lfs.py", '{"you", "me", "us"}', '{"us", "me", "you"}', set()),
    ("lfs.py", 're.compile("offer")', 're.compile("OFFER", re.IGNORECASE)', {"pattern"}),
    ("lfs.py", "limit=10", "limit=5", {"defaults"}),
    ("lfs.py", "make(16)", "make(20)", {"closed"}),
    ("lfs.py", "len(text) > limit", "len(text) < limit", {"closed"}),
    ("lfs.py", 'word: str = "lunch"', 'word: str = "hello"', {"ruled"}),
    ("lfs.py", "return norm(text)\n", "return norm(text) + ' free'\n", CLEANED),
    ("lfs.py", "clean.split()", "clean.split('o')", {"parted"}),
    ("lfs.py", "n: int", "n: float", {"typed"}),
    ("lfs.py", "len(one) > 17", "len(one) > 2", {"batched"}),
    ("lfs.py", "Scorer(2)", "Scorer(1)", {"scored"}),
    ("lfs.py", '["free"], name', '["hello"], name', {"words"}),
    ("lfs.py", '"words.txt"', '"helper.py"', {"looked_up"}),
    ("lfs.py", 'and "a" in text', 'and "b" in text', {"after"}),
    ("lfs.py", '"kind", "spam", ["free"]', '"kind", "ham", ["free"]', {"words"}),
    ("words.txt", "lunch hello", "winter", {"looked_up"}),
    ("helper.py", "LOUD = 1", "LOUD = 0", {"by_module"}),
    ("helper.py", "weight = 2", "weight = 1", {"scored"}),
    ("helper.py", "tidy(text).lower()", "tidy(text).upper()", {"helped", *CLEANED}),
    ("inner.py", "text.strip()", "text.strip('Wh')", {"helped", "inside", *CLEANED}),
    ("helper.py", "return 1\n", "return 2\n", set()),
    ("lfs.py", '"""A docstring."""', '"""Another."""', set()),
    ("lfs.py", '    """A docstring."""\n', "", set()),
    ("lfs.py", "# a comment", "# this is said otherwise", set()),
    ("lfs.py", "import functools\n", "\n\n\nimport functools\n", set()),
    ("lfs.py", "def table(text):\n    return", "def table(text):\n\n    return ", set()),
    ("lfs.py", "def keyed(", "def renamed(", set()),
    ("lfs.py", 'name="closed"', 'name="other"', set()),
    ("lfs.py", "WORDS", "TERMS", set()),
    ("lfs.py", "lookup()", "terms()", set()),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home = tmp_path / "project"
    home.mkdir()
    for name, text in FILES.items():
        (home / name).write_text(text, encoding="utf-8")
    return home


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []

    def vote(lf: Any, *rest: Any) -> Any:
        names.append(lf.name)
        return genuine(lf, *rest)

    genuine = _votes.vote
    monkeypatch.setattr(_labeler, "vote", vote)
    return names


def load(folder: Path) -> list[mw.LabelingFunction]:
    values = vars(run_file(folder / "lfs.py", CodeFiles(folder))).values()
    return [value for value in values if isinstance(value, mw.LabelingFunction)]


def apply(lfs: list[mw.LabelingFunction], cache: Path | None, records: Any = RECORDS, **options: Any) -> Any:
    return mw.apply(lfs, records, SCHEMA, cache=cache, max_error_rate=1, **options)


@pytest.mark.parametrize(("file", "old", "new", "anew"), EDITS, ids=range(len(EDITS)))
def test_an_edit_runs_what_depends_on_it_and_nothing_else(
    folder: Path, ran: list[str], file: str, old: str, new: str, anew: set[str]
) -> None:
    kept = folder.parent / "votes"
    apply(load(folder), kept)
    ran.clear()
    apply(load(folder), kept)
    assert ran == []
    text = FILES[file].replace(old, new)
    assert text != FILES[file]
    (folder / file).write_text(text, encoding="utf-8")
    found = apply(load(folder), kept)
    assert set(ran) == anew
    whole = apply(load(folder), None)
    np.testing.assert_array_equal(found.codes, whole.codes)
    assert found.incidents == whole.incidents
    assert found.names == whole.names


def lf_from(text: str, **values: Any) -> Any:
    """An LF ``lf`` of a module of its own."""
    names: dict[str, Any] = {"mw": mw, "__name__": "of_a_user", **values}
    exec(compile(text, "of_a_user.py", "exec"), names)
    return names["lf"]


def test_a_new_order_of_labels_runs_all_of_the_task(folder: Path, ran: list[str]) -> None:
    lfs, kept = load(folder), folder / "votes"
    apply(lfs, kept)
    ran.clear()
    other = mw.TaskSchema.flat(["spam", "ham"], task="kind")
    found = mw.apply(lfs, RECORDS, other, cache=kept, max_error_rate=1)
    assert len(set(ran)) == len(lfs)
    np.testing.assert_array_equal(found.codes, mw.apply(lfs, RECORDS, other, max_error_rate=1).codes)


def test_other_tasks_of_the_schema_do_not_count(tmp_path: Path, ran: list[str]) -> None:
    lfs = [mw.keywords("kind", "spam", ["free"])]
    apply(lfs, tmp_path / "votes")
    ran.clear()
    tree = {"task": "kind", "labels": ["ham", {"spam": {"task": "of", "labels": ["a", "b"]}}]}
    mw.apply(lfs, RECORDS, mw.TaskSchema.from_dict(tree), cache=tmp_path / "votes")
    assert ran == []


def test_a_new_version_of_a_package_runs_what_uses_it(
    tmp_path: Path, ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import cloudpickle

    text = "import cloudpickle\ndef lf(text):\n    return 'spam' if cloudpickle.dumps(text) else None"
    lfs = [mw.from_callable(lf_from(text), "kind"), mw.keywords("kind", "spam", ["free"])]
    apply(lfs, tmp_path / "votes")
    ran.clear()
    apply(lfs, tmp_path / "votes")
    assert ran == []
    genuine = _origins._installed_version

    def version(root: str) -> str | None:
        return "cloudpickle 99" if root == cloudpickle.__name__ else genuine(root)

    monkeypatch.setattr(_origins, "_installed_version", version)
    apply(lfs, tmp_path / "votes")
    assert ran == ["lf"]


def test_only_a_file_that_was_added_is_labeled(tmp_path: Path, ran: list[str]) -> None:
    lf = mw.from_callable(lf_from("def lf(text):\n    return 'spam' if 'a' in text else None"), "kind")
    for name in "abc":
        (tmp_path / f"{name}.csv").write_text(f"text\nan {name}\n", encoding="utf-8")
        ran.clear()
        found = mw.apply([lf], tmp_path / "*.csv", SCHEMA, cache=tmp_path / "votes")
        assert ran == ["lf"]
    assert found.n_points == 3


def test_columns_that_an_lf_does_not_read_do_not_count(tmp_path: Path, ran: list[str]) -> None:
    lfs = [mw.keywords("kind", "spam", ["free"])]
    apply(lfs, tmp_path / "votes")
    ran.clear()
    apply(lfs, tmp_path / "votes", [record | {"extra": 1} for record in RECORDS])
    assert ran == []
    apply(lfs, tmp_path / "votes", RECORDS[1:])
    assert ran == ["spam: free"]


def test_a_lookup_that_was_read_long_ago_still_counts(folder: Path, ran: list[str]) -> None:
    lfs = {lf.name: lf for lf in load(folder)}
    assert lfs["looked_up"]("lunch") == "ham"  # now it is in memory
    apply([lfs["looked_up"]], folder / "votes")
    (folder / "words.txt").write_text("offer", encoding="utf-8")
    ran.clear()
    found = apply([next(lf for lf in load(folder) if lf.name == "looked_up")], folder / "votes")
    assert ran == ["looked_up"]
    assert found.codes[:, 0].tolist() == [-1, 0, -1, 0]


def test_a_file_that_comes_to_be_counts(tmp_path: Path, ran: list[str]) -> None:
    text = """
def lf(text):
    try:
        with open(PLACE) as lines:
            return "spam" if text in lines.read() else None
    except FileNotFoundError:
        return None
"""
    place = tmp_path / "override.txt"
    lf = mw.from_callable(lf_from(text, PLACE=str(place)), "kind")
    assert apply([lf], tmp_path / "votes").codes[2, 0] == -1
    place.write_text("lunch?", encoding="utf-8")
    ran.clear()
    assert apply([lf], tmp_path / "votes").codes[2, 0] == 1
    assert ran == ["lf"]


def test_a_file_that_only_a_text_names_counts(tmp_path: Path, ran: list[str]) -> None:
    """Polars opens files outside of Python."""
    text = "import polars\ndef lf(text):\n    return 'spam' if text in polars.read_csv(PLACE)['word'] else None"
    place = tmp_path / "words.csv"
    place.write_text("word\nlunch?\n", encoding="utf-8")
    lf = mw.from_callable(lf_from(text, PLACE=place), "kind")
    assert apply([lf], tmp_path / "votes").codes[:, 0].tolist() == [-1, -1, 1, -1]
    place.write_text("word\nhello\n", encoding="utf-8")
    ran.clear()
    assert apply([lf], tmp_path / "votes").codes[:, 0].tolist() == [-1] * 4
    assert ran == ["lf"]


UNSEEN = {
    "import time\ndef lf(text):\n    return 'spam' if time.time() > 0 else None": "the clock (time)",
    "import random\ndef lf(text):\n    return 'spam' if random.random() < 2 else None": "chance (random)",
    "from datetime import date\ndef lf(text):\n    return 'spam' if date.today() else None": "the clock (today)",
    "import os\ndef lf(text):\n    return 'spam' if os.environ else None": "the environment (environ)",
    "import socket\ndef lf(text):\n    return 'spam' if socket.AF_INET else None": "the network (socket)",
    "rows = iter('ab')\ndef lf(text, rows=(x for x in 'ab')):\n    return 'spam'": "builtins.generator",
    "def lf(text):\n    return 'spam' if lf.__doc__ else None": "a docstring (__doc__)",
}


@pytest.mark.parametrize(("text", "reason"), UNSEEN.items())
def test_what_cannot_be_seen_is_not_kept_and_said_once(
    tmp_path: Path, ran: list[str], text: str, reason: str
) -> None:
    lf = mw.from_callable(lf_from(text), "kind", name=f"asks for {reason}")
    with pytest.warns(mw.errors.MetalworkWarning, match=r"are not kept in the cache\. LF .*") as caught:
        apply([lf], tmp_path / "votes")
    assert reason in str(caught[0].message)
    apply([lf], tmp_path / "votes")  # not said again
    assert len(ran) == 2


def test_what_leaves_the_process_is_seen_as_it_runs(tmp_path: Path, ran: list[str]) -> None:
    text = """
def lf(text):
    import sys
    popen = vars(sys.modules["sub" + "process"])["Popen"]
    return "spam" if popen([sys.executable, "-c", ""]).wait() == 0 else None
"""
    lf = mw.from_callable(lf_from(text), "kind")
    for place in range(2):
        with pytest.warns(mw.errors.MetalworkWarning, match="it starts a process") if not place else nullcontext():
            apply([lf], tmp_path / "votes", RECORDS[:1])
    assert len(ran) == 2


@pytest.mark.filterwarnings("ignore::metalwork.errors.MetalworkWarning")
def test_what_answers_differently_is_not_kept(tmp_path: Path, ran: list[str]) -> None:
    text = """
import itertools
numbers = itertools.count()
def lf(text):
    return ["ham", "spam", None, None, "ham"][next(numbers) % 5]
"""
    for _ in range(2):
        apply([mw.from_callable(lf_from(text), "kind")], tmp_path / "votes", [{"text": "a"}] * 6, chunk_size=2)
    assert len(ran) >= 6


def test_an_lf_says_that_it_is_not_to_be_kept(tmp_path: Path, ran: list[str]) -> None:
    lf = mw.from_callable(lf_from("def lf(text):\n    return 'spam'"), "kind", cache=False)
    on_it = mw.from_callable(lf_from("def lf(lf):\n    return lf"), "kind", name="on it")
    for _ in range(2):
        apply([lf, on_it], tmp_path / "votes")
    assert ran == ["lf", "on it"] * 2


def test_failures_that_come_of_more_than_the_record_are_not_kept(tmp_path: Path, ran: list[str]) -> None:
    lf = mw.from_callable(lf_from("def lf(text):\n    raise OSError('no room')"), "kind")
    other = mw.from_callable(lf_from("def lf(text):\n    raise ValueError(text)"), "kind", name="other")
    first = apply([lf, other], tmp_path / "votes")
    again = apply([lf, other], tmp_path / "votes")
    assert ran == ["lf", "other", "lf"]
    assert first.incidents == again.incidents
    np.testing.assert_array_equal(first.failed, again.failed)


def test_sets_and_soft_votes_are_kept(tmp_path: Path, ran: list[str]) -> None:
    schema = mw.TaskSchema.flat(["a", "b", "c"], task="t")
    texts = ["one", "two", "three", "four"]
    said: list[Any] = [{"a", "b"}, mw.Not("a"), {"a": 0.7, "b": 0.2}, None]

    @mw.labeling_function(task="t")
    def several(text: str) -> Any:
        return dict(zip(texts, said, strict=True))[text]

    first = mw.apply([several], texts, schema, cache=tmp_path / "votes")
    again = mw.apply([several], texts, schema, cache=tmp_path / "votes")
    assert ran == ["several"]
    np.testing.assert_array_equal(first.codes, again.codes)
    np.testing.assert_array_equal(first.alphabets[0].rows, again.alphabets[0].rows)
    assert mw.apply([several], texts, schema).alphabets[0].rows.shape == first.alphabets[0].rows.shape


def test_workers_share_the_cache(folder: Path, ran: list[str]) -> None:
    options: dict[str, Any] = {"backend": "processes", "n_jobs": 2, "chunk_size": 2}
    lfs = [lf for lf in load(folder) if lf.name != "inside"]  # what it imports is not there in a worker
    by_workers = apply(lfs, folder / "votes", **options)
    found = apply(lfs, folder / "votes", chunk_size=2)
    assert ran == []
    np.testing.assert_array_equal(by_workers.codes, found.codes)
    (folder / "words.txt").write_text("winter", encoding="utf-8")
    apply(load(folder), folder / "votes", chunk_size=2)
    assert set(ran) == {"looked_up", "inside"}


def test_other_processes_find_the_same(folder: Path) -> None:
    script = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(Path.cwd())!r})
from metalwork.labeling import _labeler
from tests.unit.labeling.test_cache import apply, load
names = []
genuine = _labeler.vote
_labeler.vote = lambda lf, *rest: names.append(lf.name) or genuine(lf, *rest)
apply(load(Path({str(folder)!r})), Path({str(folder / "votes")!r}))
print(len(names))
"""
    counts = []
    for seed in ("0", "1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False
        )
        assert done.returncode == 0, done.stderr
        counts.append(int(done.stdout.split()[-1]))
    assert counts == [20, 0, 0]


def test_a_changed_file_of_the_same_size_and_time_is_seen_if_young(folder: Path, ran: list[str]) -> None:
    lfs = [lf for lf in load(folder) if lf.name == "looked_up"]
    apply(lfs, folder / "votes")
    state = os.stat(folder / "words.txt")
    assert time.time() - state.st_mtime < 2
    (folder / "words.txt").write_text("lunch offer", encoding="utf-8")
    os.utime(folder / "words.txt", ns=(state.st_atime_ns, state.st_mtime_ns))
    ran.clear()
    apply([lf for lf in load(folder) if lf.name == "looked_up"], folder / "votes")
    assert ran == ["looked_up"]
