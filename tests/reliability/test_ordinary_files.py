"""Files as people have them, through whole projects: read for what they say, or refused by name."""

import json
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import metalwork as mw
from metalwork.errors import MetalworkError, MetalworkWarning

PROJECT = """
name: notes
schema: {task: mood, labels: LABELS}
data: {train: train.csv, dev: dev.csv, test: test.csv, id: id, label: label}
lfs:
  rules:
    - {keywords: [sun, warm], task: mood, label: "FIRST", name: sun}
    - {keywords: [rain], task: mood, label: "SECOND", name: rain}
    - {keywords: [sun], task: mood, label: "FIRST", name: sun again}
    - {keywords: [rain, cold], task: mood, label: "SECOND", name: rain again}
features: {text: text, min_df: 1}
end_model: {hidden_sizes: [4, 4], max_epochs: 8, batch_size: 8, lr: 0.05}
"""
SIZES = {"train": 12, "dev": 4, "test": 5}
Rows = list[tuple[Any, ...]]


def rows(split: str, gold: Sequence[Any] = ("good", "bad")) -> Rows:
    """Records of a split by turns of the first label and of the second."""
    texts = ("a sun today", "rain again")
    return [(f"{split}{i}{k}", f"{texts[k]} {split} {i}", gold[k]) for i in range(SIZES[split]) for k in (0, 1)]


def table(records: Rows, header: str = "id,text,label", line: str = "\n") -> str:
    delimiter = next(character for character in ",;\t|" if character in header)
    return line.join([header, *(delimiter.join(map(str, record)) for record in records), ""])


class Notes:
    """A project on disk whose files a test then changes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("[good, bad]", ("good", "bad"))

    def write(self, labels: str, names: Sequence[str], gold: Sequence[Any] | None = None) -> None:
        text = PROJECT.replace("LABELS", labels).replace("FIRST", names[0]).replace("SECOND", names[1])
        (self.folder / "project.yaml").write_text(text)
        for split in SIZES:
            self.put(split, table(rows(split, gold or names)))

    def put(self, split: str, content: str, encoding: str = "utf-8") -> None:
        (self.folder / f"{split}.csv").write_bytes(content.encode(encoding))

    def edit(self, old: str, new: str) -> None:
        path = self.folder / "project.yaml"
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    def run(self) -> mw.Run:
        return mw.Run.open(self.folder / "project.yaml").run()

    def error(self) -> str:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MetalworkWarning)
            with pytest.raises(MetalworkError) as caught:
                self.run()
        return str(caught.value).replace(f"{self.folder}/", "")


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    return Notes(tmp_path)


def scores(run: mw.Run) -> dict[str, set[tuple[float, int]]]:
    """Accuracies and numbers of known records, by split."""
    found: dict[str, set[tuple[float, int]]] = {}
    for by_split in run.metrics.values():
        for split, metrics in by_split.items():
            found.setdefault(split, set()).add((metrics.accuracy, metrics.n_points))
    return found


ALL_RIGHT = {"dev": {(1.0, 8)}, "test": {(1.0, 10)}}


def bom_and_crlf(notes: Notes) -> None:
    for split in SIZES:
        quoted = [(i, f'"{text}, ""so"" they\r\nsay"', label) for i, text, label in rows(split)]
        notes.put(split, "\ufeff" + table(quoted, line="\r\n"))


def other_delimiters(notes: Notes) -> None:
    notes.put("dev", table(rows("dev"), "id;text;label"))
    notes.put("test", table(rows("test"), "id\ttext\tlabel"))


def blanks_around_labels(notes: Notes) -> None:
    for split in ("dev", "test"):
        notes.put(split, table(rows(split, ("good  ", "\u00a0bad"))))


def numbers_as_floats(notes: Notes) -> None:
    notes.write('["1", "0"]', ("1", "0"), ("1.0", "0.0"))


def truth_values_in_parquet(notes: Notes) -> None:
    notes.write('["True", "False"]', ("True", "False"))
    for split in ("dev", "test"):
        frame = pl.DataFrame(rows(split, (True, False)), schema=["id", "text", "label"], orient="row")
        frame.write_parquet(notes.folder / f"{split}.parquet")
        notes.edit(f"{split}.csv", f"{split}.parquet")


def whole_numbers_in_json_lines(notes: Notes) -> None:
    notes.write("[1, 0]", ("1", "0"))
    for split in ("dev", "test"):
        lines = [json.dumps({"id": i, "text": text, "label": gold}) for i, text, gold in rows(split, (1, 0))]
        (notes.folder / f"{split}.jsonl").write_text("\n".join(lines))
        notes.edit(f"{split}.csv", f"{split}.jsonl")


def yes_and_no(notes: Notes) -> None:
    notes.write("[yes, no]", ("yes", "no"))


def a_column_called_class(notes: Notes) -> None:
    for split in SIZES:
        notes.put(split, table(rows(split), "id,class,label"))
    notes.edit("], task: mood", "], field: class, task: mood")
    notes.edit("text: text", "text: class")


def a_delimiter_at_every_end(notes: Notes) -> None:
    notes.put("dev", table([(*record, "") for record in rows("dev")], "id,text,label,"))


def blank_lines(notes: Notes) -> None:
    notes.put("dev", "\n\n" + table(rows("dev")) + "\n\n")


@pytest.mark.parametrize(
    "change",
    [
        bom_and_crlf, other_delimiters, blanks_around_labels, numbers_as_floats, truth_values_in_parquet,
        whole_numbers_in_json_lines, yes_and_no, a_column_called_class, a_delimiter_at_every_end, blank_lines,
    ],
)  # fmt: skip
def test_read_for_what_it_says(change: Callable[[Notes], None], notes: Notes) -> None:
    change(notes)
    assert scores(notes.run()) == ALL_RIGHT


def test_floats_with_gaps_are_labels_where_they_are_there(notes: Notes) -> None:
    notes.write('["1", "0"]', ("1", "0"))
    frame = pl.DataFrame(rows("test", (1.0, 0.0)), schema=["id", "text", "label"], orient="row")
    frame = frame.with_columns(pl.when(pl.int_range(10) < 3).then(float("nan")).otherwise("label").alias("label"))
    frame.write_parquet(notes.folder / "test.parquet")
    notes.edit("test.csv", "test.parquet")
    assert scores(notes.run())["test"] == {(1.0, 7)}


def test_ids_keep_their_noughts(notes: Notes) -> None:
    for split in SIZES:
        notes.put(split, table([(f"00{i}{split[0]}"[:4], *rest) for i, (_, *rest) in enumerate(rows(split))]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MetalworkWarning)
        run = notes.run()
    ids = run.split("train").ids
    assert ids is not None
    assert ids.to_list()[:2] == ["000t", "001t"]


def _labels(name: str) -> Callable[[Notes], None]:
    return lambda notes: notes.put("test", table(rows("test", (name, "bad"))))


REFUSED: dict[str, tuple[Callable[[Notes], None], str]] = {
    "another case": (_labels("Good"), "Row 0: 'Good' is no label. Did you mean 'good'?"),
    "a word for nothing": (_labels("n/a"), "Row 0: 'n/a' is no label."),
    "noughts in front": (
        lambda notes: notes.write('["01", "02"]', ("01", "02"), ("1", "2")),
        "Row 0: '1' is no label. Did you mean '01'?",
    ),
    "truth values of YAML": (
        lambda notes: notes.write("[True, False]", ("True", "False")),
        "a label name must be text; got True. Put it in quotes.",
    ),
    "another encoding": (
        lambda notes: notes.put("dev", table([("é", *rest) for _, *rest in rows("dev")]), "latin-1"),
        "dev.csv:2: must be UTF-8 text",
    ),
    "UTF-16": (lambda notes: notes.put("dev", table(rows("dev")), "utf-16"), "it is UTF-16"),
    "blanks in the header": (
        lambda notes: notes.put("test", table(rows("test"), "id, text ,label")),
        "'text' is no column. Did you mean ' text '?",
    ),
    "a column twice": (
        lambda notes: notes.put("dev", table([(*r, "bad") for r in rows("dev")], "id,text,label,label")),
        "dev.csv:1: column names must be distinct; got 'label' twice. Rename one.",
    ),
    "a field that is none": (
        lambda notes: notes.edit("name: rain}", "name: rain, field: txt}"),
        "LF 'rain' reads a column that is not there: 'txt' is no column. Did you mean 'text'?",
    ),
    "a header alone": (
        lambda notes: notes.put("dev", "id,text,label\n"),
        "dev.csv: must hold at least one record; there is none.",
    ),
    "nothing": (lambda notes: notes.put("dev", ""), "dev.csv: must hold records; the file is empty."),
    "no vote at all": (
        lambda notes: notes.put("train", table([(i, "snow", gold) for i, _, gold in rows("train")])),
        "Labeling functions must vote on at least one training record; all abstain on every one.",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused_by_name(what: str, notes: Notes) -> None:
    change, expected = REFUSED[what]
    change(notes)
    assert expected in notes.error()


@pytest.mark.parametrize(
    "content", [table([r[:2] for r in rows("test")], "id,text"), table(rows("test", ("", ""))),
                table(rows("test"), "id,text,gold")], ids=["no label column", "empty labels", "another name"],
)  # fmt: skip
def test_a_test_set_without_labels_is_said(content: str, notes: Notes) -> None:
    notes.put("test", content)
    with pytest.warns(
        MetalworkWarning, match="No record of test has a known label, so there are no figures on test"
    ):
        run = notes.run()
    assert set(scores(run)) == {"dev"}


def test_dev_records_in_test_are_said(notes: Notes) -> None:
    notes.put("test", table(rows("dev")))
    with pytest.warns(MetalworkWarning, match="8 records of dev also stand in test"):
        notes.run()


def test_one_record_a_split(notes: Notes) -> None:
    for split in SIZES:
        notes.put(split, table(rows(split)[:1]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MetalworkWarning)
        run = notes.run()
    assert scores(run) == {"dev": {(1.0, 1)}, "test": {(1.0, 1)}}
    assert any("No labeling function votes for 'bad'" in text for text in run.warnings)
