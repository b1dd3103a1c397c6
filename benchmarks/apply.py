"""Applying labeling functions: ours beside Snorkel's applier and bare libraries, on Reuters' news wire.

    python benchmarks/apply.py                     # 20,000 articles
    python benchmarks/apply.py --rows 2000 --quick # one repeat, smaller gazetteers

All in one run on one core, but for two worker processes, from a frame in memory to a label matrix. The floors
find the same words, some without word boundaries, and know neither spellings nor negation: they say what reading
costs. Seconds are those of the processor, so that other work on the machine hardly counts; of two processes, the
clock's. A package that is not installed is left out by name. The first line of a group is what the ratios are to.
"""

import argparse
import importlib.util
import os
import platform
import random
import re
import tarfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from html import unescape
from pathlib import Path
from typing import Any

os.environ.setdefault("POLARS_MAX_THREADS", "1")

import polars as pl

import metalwork as mw
from metalwork.data import find_data

SCHEMA = mw.TaskSchema.flat(["No", "Yes"], task="t")
WORDS = [
    *(
        ["interest rate", "treasury"],
        ["oil", "crude", "barrel*"],
        ["gold"],
        ["wheat", "grain*"],
        ["dividend*", "shr"],
    ),
    *(
        ["net profit", "net loss"],
        ["acquisition*", "merger"],
        ["tender offer"],
        ["central bank*"],
        ["dollar", "yen"],
    ),
    *(
        ["trade deficit"],
        ["exports", "imports"],
        ["inflation"],
        ["opec"],
        ["stake"],
        ["shareholders"],
        ["quarter"],
    ),
    *(["coffee"], ["sugar"], ["cocoa"], ["bundesbank"], ["fed", "federal reserve"], ["budget"], ["unemployment"]),
    *(["copper"], ["soybean*"], ["corn"], ["bond*"], ["loan*"], ["takeover"]),
]
Work = Callable[[], object]


def articles(n: int) -> pl.DataFrame:
    """The first ``n`` articles of Reuters-21578, title and body."""
    found: list[str] = []
    with tarfile.open(find_data("reuters21578")) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.name.endswith(".sgm") else None
            for article in content.read().decode("latin-1").split("</REUTERS>") if content else ():
                parts = re.findall(r"<(TITLE|BODY)>(.*?)</\1>", article, re.DOTALL)
                found += [" ".join(unescape(part) for _, part in parts)] if parts else []
            if len(found) >= n:
                break
    return pl.DataFrame({"text": found[:n]})


def pattern(words: Iterable[str]) -> str:
    """An ASCII pattern for any of the words."""
    parts = (re.escape(word.rstrip("*")).replace(r"\ ", r"\s+") + r"\w*" * (word[-1] == "*") for word in words)
    return rf"\b(?:{'|'.join(parts)})\b"


def keywords(lists: Iterable[list[str]], **options: Any) -> list[mw.LabelingFunction]:
    """A keyword LF for each list of words."""
    return [mw.keywords("t", "Yes", words, name=str(j), **options) for j, words in enumerate(lists)]


class Table:
    """Times work, and prints a line for each."""

    def __init__(self, frame: pl.DataFrame, repeats: int) -> None:
        self.n_rows, self.repeats, self.first = len(frame), repeats, 0.0
        self.megabytes = int(frame["text"].str.len_bytes().sum()) / 1e6

    def group(self, title: str) -> None:
        """Begin a group of lines, of which the first is compared with."""
        print(f"\n{title:58}{'rows/s':>12}{'MB/s':>8}{'ratio':>8}")
        self.first = 0.0

    def line(
        self,
        name: str,
        work: Work,
        n_rows: int | None = None,
        clock: Callable[[], float] = time.process_time,
        once: float = 0.0,
    ) -> float:
        """Seconds for all rows; ``n_rows`` are as many as ``work`` takes on, ``once`` what it takes for none."""
        best = float("inf")
        for _ in range(self.repeats):
            start = clock()
            work()
            best = min(best, clock() - start)
        seconds = max(best - once, 1e-9) * self.n_rows / (n_rows or self.n_rows)
        self.first = self.first or seconds
        speed = self.n_rows / seconds
        print(f"  {name:56}{speed:12,.0f}{self.megabytes / seconds:8.0f}{self.first / seconds:8.2f}")
        return seconds


def floors(table: Table, frame: pl.DataFrame) -> None:
    """What libraries take for the 30 lists of words."""
    text = frame["text"]
    patterns = [pattern(words) for words in WORDS]
    stems = [word.rstrip("*") for words in WORDS for word in words]

    def each() -> None:
        low = text.str.to_lowercase()
        for own in patterns:
            low.str.contains(own)

    table.line("polars: a pattern an LF on lowered text", each)
    table.line("polars: contains_any, all words at once", lambda: text.str.to_lowercase().str.contains_any(stems))
    if importlib.util.find_spec("re2") is not None:
        import re2

        engine = re2.Set.SearchSet(re2.Options())
        for own in patterns:
            engine.Add("(?i)" + own)
        engine.Compile()
        table.line("google-re2: Set", lambda: [engine.Match(value) for value in text.to_list()])
    if importlib.util.find_spec("hyperscan") is not None:
        import hyperscan

        base = hyperscan.Database()
        flags = hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_SINGLEMATCH
        base.compile(
            [own.encode() for own in patterns], ids=[*range(len(patterns))], flags=[flags] * len(patterns)
        )
        hits: list[int] = []

        def scan() -> None:
            for value in text.to_list():
                base.scan(value.encode(), match_event_handler=lambda i, *_: hits.append(i))

        table.line("hyperscan", scan)


def snorkel(table: Table, frame: pl.DataFrame, n_rows: int) -> None:
    """Snorkel's applier with the same words as patterns of ``re``."""
    from snorkel.labeling import LabelingFunction, PandasLFApplier

    compiled = [re.compile(pattern(words), re.IGNORECASE) for words in WORDS]
    lfs = [
        LabelingFunction(str(j), lambda x, own=own: 1 if own.search(x.text) else -1)
        for j, own in enumerate(compiled)
    ]
    rows = frame.head(n_rows).to_pandas()
    table.line("snorkel PandasLFApplier", lambda: PandasLFApplier(lfs).apply(rows, progress_bar=False), len(rows))


def vocabulary(frame: pl.DataFrame) -> list[str]:
    """Words of the articles, the most frequent first."""
    counts = Counter(word for text in frame["text"].head(5000) for word in re.findall(r"[a-z]{3,}", text.lower()))
    return [word for word, _ in counts.most_common()]


def gazetteers(table: Table, frame: pl.DataFrame, words: list[str], sizes: tuple[int, int]) -> None:
    """A small and a large list of phrases."""
    draw = random.Random(0)
    names = {" ".join(draw.choices(words[1000:], k=draw.randint(2, 3))) for _ in range(2 * sizes[1])}
    phrases = draw.sample(sorted(names), sizes[1])
    for size in sizes:
        built = float("inf")
        for _ in range(2):  # the first in a process takes longer
            start = time.process_time()
            lfs = keywords([phrases[:size]])
            mw.apply(lfs, frame.head(1), SCHEMA)
            built = min(built, time.process_time() - start)
        work = lambda lfs=lfs: mw.apply(lfs, frame, SCHEMA)  # noqa: E731
        table.line(f"{size:,} phrases, besides {built:.1f} s to make them ready", work, once=built)


def python_functions(n: int) -> list[mw.LabelingFunction]:
    """Functions in Python, which look for a word."""

    def make(word: str) -> Callable[[str], str | None]:
        return lambda text: "Yes" if word in text else None

    return [mw.from_callable(make(words[0]), "t", ["text"], f"p{j}") for j, words in enumerate(WORDS[:n])]


def batches(n: int) -> list[mw.LabelingFunction]:
    """The same, a batch at a time."""

    def make(word: str) -> Callable[[list[str]], list[str | None]]:
        return lambda texts: ["Yes" if word in text else None for text in texts]

    return [
        mw.from_callable(make(words[0]), "t", ["text"], f"b{j}", batch=True) for j, words in enumerate(WORDS[:n])
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one repeat, and gazetteers of a tenth")
    asked = parser.parse_args()
    frame = articles(asked.rows)
    table = Table(frame, 1 if asked.quick else asked.repeats)
    versions = f"Python {platform.python_version()}, polars {pl.__version__}"
    print(f"{len(frame):,} articles, {table.megabytes:.1f} MB; {versions}")
    missing = [name for name in ("snorkel", "re2", "hyperscan") if importlib.util.find_spec(name) is None]
    if missing:
        print(f"not installed, left out: {', '.join(missing)}")

    words = vocabulary(frame)
    many = [words[at : at + 2] for at in range(200, 800, 2)]
    table.group("30 keyword LFs")
    floors(table, frame)
    if "snorkel" not in missing:
        snorkel(table, frame, min(len(frame), 1000))
    lists = {"ours": keywords(WORDS), "ours, negated_by=True": keywords(WORDS, negated_by=True)}
    lists["ours, negated_by=True, window=4"] = keywords(WORDS, negated_by=True, window=4)
    lists["ours, 300 LFs"] = keywords(many)
    for name, lfs in lists.items():
        table.line(name, lambda lfs=lfs: mw.apply(lfs, frame, SCHEMA))
    table.group("gazetteers")
    gazetteers(table, frame, words, (500, 50_000) if asked.quick else (5_000, 500_000))
    table.group("30 regex LFs")
    patterns = [mw.regex("t", "Yes", pattern(own), name=str(j)) for j, own in enumerate(WORDS)]
    table.line("ours", lambda: mw.apply(patterns, frame, SCHEMA))
    table.group("10 LFs in Python")
    if "snorkel" not in missing:
        python_snorkel(table, frame)
    table.line("ours, one a record", lambda: mw.apply(python_functions(10), frame, SCHEMA))
    table.line("ours, batches", lambda: mw.apply(batches(10), frame, SCHEMA))
    folder = Path(os.environ.get("TMPDIR", "/tmp"))
    file = folder / f"metalwork-apply-{os.getpid()}.parquet"
    many = pl.concat([frame] * 10)
    many.write_parquet(file, row_group_size=25_000)
    try:
        two = {"backend": "processes", "n_jobs": 2}
        work = lambda: mw.apply(python_functions(10), file, SCHEMA, **two)  # noqa: E731
        table.line("ours, two processes, ten times over (wall clock)", work, len(many), clock=time.perf_counter)
    finally:
        file.unlink()


def python_snorkel(table: Table, frame: pl.DataFrame) -> None:
    """Snorkel's applier with the functions of :func:`python_functions`."""
    from snorkel.labeling import LabelingFunction, PandasLFApplier

    lfs = [
        LabelingFunction(str(j), lambda x, word=words[0]: 1 if word in x.text else -1)
        for j, words in enumerate(WORDS[:10])
    ]
    rows = frame.to_pandas()
    table.line("snorkel PandasLFApplier", lambda: PandasLFApplier(lfs).apply(rows, progress_bar=False))


if __name__ == "__main__":
    main()
