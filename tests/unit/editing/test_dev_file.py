"""Labels of dev records: in the file at once, one value changed and nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from metalwork.editing import DevFile, Labelled, ProjectEditor
from metalwork.errors import ChangedError, ConfigError, DataError, MetalworkError
from metalwork.pipeline import Job, load_project

PROJECT = """schema:
  task: kind
  labels:
    - Mammal: {task: mammal, labels: [Cat, Dog]}
    - Bird: {task: bird, labels: [Owl, Duck]}
data: # records
  train: %s
  id: key # ids
lfs:
  rules: [{keywords: [fur], task: kind, label: Mammal}]
features: {text: text}
"""

TRAIN = 'key,text,amount\n007,"fur, and ""paws""",1.50\n008,"line\nbreak",\n009,beak,3\n'


def project(
    folder: Path, train: str = TRAIN, dev: str | bytes | None = None, name: str = "train.csv", **data: Any
) -> Path:
    suffix = name.partition(".")[2]
    (folder / name).write_bytes(train.encode())
    path = folder / "project.yaml"
    path.write_text(PROJECT % name)
    if dev is not None:
        (folder / f"dev.{suffix}").write_bytes(dev if isinstance(dev, bytes) else dev.encode())
        data = {"dev": f"dev.{suffix}", **data}
    if data:
        text = path.read_text()
        lines = "".join(f"  {key}: {json.dumps(value)}\n" for key, value in data.items())
        path.write_text(text.replace("lfs:\n", lines + "lfs:\n"))
    return path


def known(path: Path) -> list[str | None]:
    """The dev labels as a run reads them."""
    job = Job.of_project(load_project(path))
    names = []
    for row in job.known_labels("dev").tolist():
        labels = [
            job.schema.labels(task)[code] for task, code in zip(job.schema.tasks, row, strict=True) if code >= 0
        ]
        names.append(labels[-1] if labels else None)
    return names


CSV = {
    "plain": b"key,text,label\n01,fur,Cat\n02,beak,\n03,hoot,Owl\n",
    "line ends and no last one": b"key,text,label\r\n01,fur,Cat\r\n02,beak,\r\n03,hoot,Owl",
    "quotes everywhere": b'"key","text","label"\n"01","a ""b"", c","Cat"\n"02","two\nlines",""\n"03","x","Owl"\n',
    "label first, blank lines": b"label,key,text\n\nCat,01,fur\n\n,02,beak\nOwl,03,x\n\n",
    "mark of UTF-8": "\ufeffkey,text,label\n01,é😀,Cat\n02,ß,\n03,x,Owl\n".encode(),
    "semicolons": b"key;text;label\n01;fur, paws;Cat\n02;beak;\n03;hoot;Owl\n",
    "tabs": b"key\ttext\tlabel\n01\tfur\tCat\n02\tbeak\t\n03\thoot\tOwl\n",
    "more columns": b'key,label,text,note,label2\n01,Cat,fur,=1+1,x\n02,,beak,"-",y\n03,Owl,hoot,@,z\n',
}


@pytest.mark.parametrize("kind", CSV)
def test_one_cell_of_a_csv_file_changes_and_no_other_byte(tmp_path: Path, kind: str) -> None:
    path = project(tmp_path, dev=CSV[kind])
    dev, file = DevFile(path), tmp_path / "dev.csv"
    assert dev.labels == ("Cat", None, "Owl")
    assert dev.set(("dev", 1), "Duck") == Labelled(1, "Duck", None)
    assert known(path) == ["Cat", "Duck", "Owl"]
    dev.set(("dev", 2), "Bird")  # a coarse one
    assert known(path) == ["Cat", "Duck", "Bird"]
    dev.clear(("dev", 0))
    assert known(path) == [None, "Duck", "Bird"] == list(dev.labels)
    while dev.undo() is not None:
        pass
    assert file.read_bytes() == CSV[kind]
    before, after = CSV[kind].split(b"Owl"), CSV[kind].replace(b"Owl", b"Bird").split(b"Bird")
    assert before == after


JSON = {
    "lines": '{"key": "01", "text": "\\u00e9", "label": "Cat", "n": 1.50}\n\n'
    '{"label":null,"key":"02"}\n{"key":"03"}',
    "line ends": '{"key": "01", "text": "", "label" : "Cat"}\r\n{"key": "02", "label": ""}\r\n'
    '{"label":"Owl","key":3,"x":{"a":[1,2]}}\r\n',
}


@pytest.mark.parametrize("kind", JSON)
def test_one_value_of_json_lines_changes_and_no_other_byte(tmp_path: Path, kind: str) -> None:
    train = '{"key": "7", "text": "fur", "label": "no", "x": {"y": [1, null]}}\n{"key": "8", "text": "é"}\n'
    path = project(tmp_path, train, JSON[kind], name="train.jsonl")
    dev, file = DevFile(path), tmp_path / "dev.jsonl"
    dev.set(("dev", 1), "Duck")
    assert known(path)[1] == "Duck"
    changed = [line for line in file.read_bytes().decode().split("\n") if line not in JSON[kind].split("\n")]
    assert len(changed) == 1
    assert dev.set(("train", 0), "Dog") == Labelled(3, "Dog", None, added=True)
    assert json.loads(file.read_text().splitlines()[-1]) == {
        "key": "7", "text": "fur", "label": "Dog", "x": {"y": [1, None]}
    }  # fmt: skip
    dev.set(("train", 1), "Owl")
    assert known(path)[-2:] == ["Dog", "Owl"]
    dev.undo()
    dev.undo()
    dev.undo()
    assert DevFile(path).labels == DevFile(project(tmp_path, train, JSON[kind], name="train.jsonl")).labels


def test_an_array_of_objects_stays_one(tmp_path: Path) -> None:
    text = '[\n  {"key": "1", "text": "a", "label": "Cat"},\n  {"key": "2", "text": "b"}\n]\n'
    path = project(tmp_path, '[{"key": "7", "text": "fur"}]', text, name="train.json")
    dev, file = DevFile(path), tmp_path / "dev.json"
    dev.set(("dev", 1), "Duck")
    dev.set(("train", 0), "Dog")
    assert file.read_text() == text.replace(
        '"b"}\n', '"b", "label": "Duck"},\n  {"key": "7", "text": "fur", "label": "Dog"}\n'
    )
    dev.undo()
    assert [row["key"] for row in json.loads(file.read_text())] == ["1", "2"]


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_other_columns_of_tables_keep_values_and_types(tmp_path: Path, kind: str) -> None:
    from datetime import date

    frame = pl.DataFrame(
        {
            "key": [1, 2],
            "text": ["a", "b"],
            "label": pl.Series(["Cat", None], dtype=pl.Enum(["Cat", "Dog"])),
            "day": [date(2024, 1, 1), None],
            "list": [[1, 2], []],
            "amount": pl.Series([1.5, None], dtype=pl.Float32),
        }
    )
    path = project(tmp_path, "", name=f"train.{kind}")
    train = pl.DataFrame({"key": ["3"], "text": ["x"], "day": ["2024-02-03"], "amount": ["2.5"]})
    write = {"parquet": "write_parquet", "arrow": "write_ipc"}[kind]
    getattr(frame, write)(tmp_path / f"dev.{kind}")
    getattr(train, write)(tmp_path / f"train.{kind}")
    ProjectEditor(path).set("data.dev", f"dev.{kind}")
    dev = DevFile(path)
    dev.set(("dev", 1), "Duck")  # no room for it in the column's own type
    dev.set(("train", 0), "Bird")
    read: Any = {"parquet": pl.read_parquet, "arrow": pl.read_ipc}[kind]
    after = read(tmp_path / f"dev.{kind}")
    assert after["label"].to_list() == ["Cat", "Duck", "Bird"]
    assert after.drop("label").head(2).equals(frame.drop("label"))
    assert after.drop("label").schema == frame.drop("label").schema
    assert after.row(2, named=True) | {"list": None} == {
        "key": 3, "text": "x", "label": "Bird", "day": date(2024, 2, 3), "list": None, "amount": 2.5
    }  # fmt: skip
    dev.undo()
    assert len(read(tmp_path / f"dev.{kind}")) == 2


def test_what_does_not_fit_a_table_is_not_written(tmp_path: Path) -> None:
    path = project(tmp_path, "", name="train.parquet")
    pl.DataFrame({"key": ["x"], "text": ["x"]}).write_parquet(tmp_path / "train.parquet")
    pl.DataFrame({"key": [1], "text": ["a"], "label": ["Cat"]}).write_parquet(tmp_path / "dev.parquet")
    ProjectEditor(path).set("data.dev", "dev.parquet")
    before = (tmp_path / "dev.parquet").read_bytes()
    with pytest.raises(DataError, match="column 'key' must hold Int64; got 'x'"):
        DevFile(path).set(("train", 0), "Cat")
    assert (tmp_path / "dev.parquet").read_bytes() == before


def test_labels_named_by_numbers_keep_their_type(tmp_path: Path) -> None:
    path = project(tmp_path, "", name="train.parquet")
    path.write_text(path.read_text().replace("[Cat, Dog]", "['1', '2']"))
    pl.DataFrame({"key": ["x"], "text": ["x"]}).write_parquet(tmp_path / "train.parquet")
    pl.DataFrame({"key": ["y"], "text": ["a"], "label": [1]}).write_parquet(tmp_path / "dev.parquet")
    ProjectEditor(path).set("data.dev", "dev.parquet")
    DevFile(path).set(("dev", 0), "2")
    assert pl.read_parquet(tmp_path / "dev.parquet")["label"].to_list() == [2]
    assert known(path) == ["2"]


def test_a_first_label_makes_a_dev_file_and_enters_it(tmp_path: Path) -> None:
    path = project(tmp_path)
    text, dev = path.read_text(), DevFile(path)
    assert dev.labels == ()
    assert dev.path == tmp_path / "dev.csv"
    assert not dev.path.exists()
    assert dev.set(("train", 1), "Cat") == Labelled(0, "Cat", None, added=True)
    assert (tmp_path / "dev.csv").read_text() == 'key,text,amount,label\n008,"line\nbreak",,Cat\n'
    assert path.read_text() == text.replace("# ids\n", "# ids\n  dev: dev.csv\n")
    dev.set(("train", 0), "Duck")
    assert (tmp_path / "dev.csv").read_text().endswith('007,"fur, and ""paws""",1.50,Duck\n')
    assert known(path) == ["Cat", "Duck"]
    assert dev.set(("train", 1), "Dog") == Labelled(0, "Dog", "Cat")  # it is there already
    for _ in range(3):
        dev.undo()
    assert known(path) == [None]  # a file needs a record
    assert dev.undo() is None


@pytest.mark.parametrize(
    ("train", "name"), [("*.csv", "labels/dev.csv"), ("t*.csv", "dev.csv"), ("train.csv", "dev-2.csv")]
)
def test_a_new_dev_file_is_nobody_elses(tmp_path: Path, train: str, name: str) -> None:
    path = project(tmp_path)
    path.write_text(path.read_text().replace("train.csv", f"'{train}'"))
    if name == "dev-2.csv":
        (tmp_path / "dev.csv").write_text("mine\n")
    DevFile(path).set(("train", 0), "Cat")
    assert known(path) == ["Cat"]
    assert DevFile(path).path.relative_to(tmp_path).as_posix() == name


def test_several_dev_files_count_as_one(tmp_path: Path) -> None:
    path = project(tmp_path)
    (tmp_path / "d2.csv").write_text("key,text,label\n1,b,Owl\n")
    (tmp_path / "d1.csv").write_text("label,text,key\nCat,a,2\n,c,3\n")
    ProjectEditor(path).set("data.dev", ["d2.csv", "d1.csv"])
    dev = DevFile(path)
    dev.set(("dev", 2), "Dog")
    dev.set(("dev", 0), "Duck")
    assert known(path) == ["Duck", "Cat", "Dog"]
    assert (tmp_path / "d2.csv").read_text() == "key,text,label\n1,b,Duck\n"


def test_one_table_of_all_splits(tmp_path: Path) -> None:
    path = project(tmp_path)
    table = "key,text,label,part\n1,fur,,train\n2,paw,Cat,dev\n3,beak,Owl,test\n4,hoot,,train\n5,quack,,dev\n"
    (tmp_path / "all.csv").write_text(table)
    path.write_text(path.read_text().replace("train: train.csv", "records: all.csv\n  split: part"))
    dev = DevFile(path)
    assert dev.labels == ("Cat", None)
    dev.set(("dev", 1), "Duck")
    dev.set(("train", 1), "Owl")
    assert known(path) == ["Cat", "Duck", "Owl"]
    expected = table.replace("5,quack,,dev", "5,quack,Duck,dev") + "4,hoot,Owl,dev\n"
    assert (tmp_path / "all.csv").read_text() == expected
    dev.set(("train", 1), "Bird")
    assert (tmp_path / "all.csv").read_text() == expected.replace("hoot,Owl", "hoot,Bird")


def test_files_of_another_encoding_keep_it(tmp_path: Path) -> None:
    path = project(tmp_path)
    (tmp_path / "train.csv").write_bytes("key,text\n1,été\n".encode("cp1252"))
    (tmp_path / "dev.csv").write_bytes("key,text,label\n2,ÿ,\n".encode("cp1252"))
    ProjectEditor(path).set("data.encoding", "cp1252")
    ProjectEditor(path).set("data.dev", "dev.csv")
    dev = DevFile(path)
    dev.set(("dev", 0), "Cat")
    dev.set(("train", 0), "Dog")
    assert (tmp_path / "dev.csv").read_bytes() == "key,text,label\n2,ÿ,Cat\n1,été,Dog\n".encode("cp1252")
    (tmp_path / "train.csv").write_text("key,text\n1,x\n")
    path.write_text(path.read_text().replace("cp1252", "latin-1"))
    assert DevFile(path).labels == ("Cat", "Dog")


@pytest.mark.parametrize(
    ("record", "label", "message"),
    [
        (("dev", 3), "Cat", "row must be that of a dev record, from 0 to 2; got 3"),
        (("dev", -1), "Cat", "got -1"),
        (("train", 3), "Cat", "and there are 3"),
        (("train", -1), "Cat", "row must be that of a training record"),
        (("test", 0), "Cat", "must be of dev or train; got 'test'"),
        (("dev", 0), "Cet", "Did you mean 'Cat'?"),
        (("dev", 0), "", "To take it away, clear it"),
        (("dev", 0), "kind", "label must be one of the project's"),
        (("train", 0), None, "must have a label to lose one"),
    ],
)
def test_wrong_records_and_labels(
    tmp_path: Path, record: tuple[str, int], label: str | None, message: str
) -> None:
    path = project(tmp_path, dev=CSV["plain"])
    with pytest.raises(ConfigError) as caught:
        DevFile(path).set(record, label)
    assert message in str(caught.value)
    assert (tmp_path / "dev.csv").read_bytes() == CSV["plain"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("train: train.csv\n  dev: dev.csv.gz", "files that are not packed"),
        ("train: train.csv\n  dev: s3://bucket/dev.csv", "must lie on this machine"),
        ("python: load.py", "they come from a loader in Python"),
        ("dataset: openi\n  split: fold", "they come from a public data set"),
        ("train: train.csv\n  dev: bare.csv", "must have a column 'label'"),
        ("train: train.csv\n  dev: bad.csv", "not valid CSV"),
    ],
)
def test_places_that_labels_cannot_go_to(tmp_path: Path, line: str, message: str) -> None:
    path = project(tmp_path)
    import gzip

    (tmp_path / "dev.csv.gz").write_bytes(gzip.compress(CSV["plain"]))
    (tmp_path / "bare.csv").write_text("text\na\n")
    (tmp_path / "bad.csv").write_text('text,label\n"a"b,Cat\n')
    (tmp_path / "load.py").write_text("")
    path.write_text(path.read_text().replace("train: train.csv", line))
    with pytest.raises(MetalworkError) as caught:
        DevFile(load_project(path, records=False))
    assert message in str(caught.value)


def test_two_people_label_different_records(tmp_path: Path) -> None:
    path = project(tmp_path, dev=CSV["plain"])
    mine, theirs = DevFile(path), DevFile(path)
    theirs.set(("dev", 1), "Duck")
    mine.set(("dev", 0), "Dog")
    theirs.set(("train", 0), "Cat")
    mine.set(("train", 1), "Dog")
    assert known(path) == ["Dog", "Duck", "Owl", "Cat", "Dog"]


def test_the_last_label_never_silently_wins(tmp_path: Path) -> None:
    path = project(tmp_path, dev=CSV["plain"])
    mine, theirs = DevFile(path), DevFile(path)
    seen = mine.digest
    theirs.set(("dev", 1), "Duck")
    with pytest.raises(ChangedError, match="somebody else has"):
        mine.set(("dev", 1), "Owl")
    with pytest.raises(ChangedError):
        mine.set(("dev", 0), "Dog", expected=seen)
    assert known(path) == ["Cat", "Duck", "Owl"]
    mine.set(("dev", 1), "Owl", expected=theirs.digest)  # it has been looked at
    with pytest.raises(ChangedError):
        theirs.undo()
    assert known(path) == ["Cat", "Owl", "Owl"]
    assert mine.undo() == Labelled(1, "Duck", "Owl")


def test_records_that_have_moved_are_not_mistaken(tmp_path: Path) -> None:
    path = project(tmp_path, dev=CSV["plain"])
    dev = DevFile(path)
    (tmp_path / "dev.csv").write_bytes(CSV["plain"].replace(b"label\n", b"label\n00,new,\n"))
    with pytest.raises(ChangedError):
        dev.set(("dev", 1), "Duck")
    dev.refresh()
    dev.set(("dev", 1), "Duck")
    assert known(path) == [None, "Duck", None, "Owl"]


def test_a_full_disk_leaves_the_labels_as_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = project(tmp_path)
    text = path.read_text()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    for dev_there in (False, True):
        dev = DevFile(path)
        before = (tmp_path / "dev.csv").read_bytes() if dev_there else None
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            dev.set(("train", 0), "Cat" if not dev_there else "Dog")
        monkeypatch.undo()
        if before is None:
            assert sorted(os.listdir(tmp_path)) == ["project.yaml", "train.csv"]
            assert path.read_text() == text
        else:
            assert (tmp_path / "dev.csv").read_bytes() == before
        dev.set(("train", 0), "Cat")
    assert known(path) == ["Cat"]


@pytest.mark.parametrize("sync", [1, 3])
def test_a_killed_session_keeps_every_label_that_was_given(tmp_path: Path, sync: int) -> None:
    path = project(tmp_path, dev=CSV["plain"])
    program = (
        "import os\nfrom metalwork.editing import DevFile\n"
        f"dev = DevFile({str(path)!r})\ndev.set(('dev', 1), 'Duck')\n"
        "real, n = os.fsync, [0]\n"
        "def dying(handle):\n    n[0] += 1\n"
        f"    os.kill(os.getpid(), 9) if n[0] == {sync} else real(handle)\n"
        "os.fsync = dying\nfor row in (0, 2):\n    dev.set(('dev', row), 'Dog')\n"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == -9
    assert known(path) == (["Cat", "Duck", "Owl"] if sync == 1 else ["Dog", "Duck", "Owl"])


@pytest.mark.skipif(sys.platform == "win32", reason="no locks on folders")
def test_many_at_once_lose_no_label(tmp_path: Path) -> None:
    rows = "".join(f"{i},text {i},\n" for i in range(12))
    path = project(tmp_path, dev="key,text,label\n" + rows)
    program = (
        "import sys\nfrom metalwork.editing import DevFile\nfrom metalwork.errors import ChangedError\n"
        "dev = DevFile(sys.argv[1])\n"
        "for row in range(int(sys.argv[2]), 12, 2):\n"
        "    while True:\n        try:\n            dev.set(('dev', row), 'Cat')\n            break\n"
        "        except ChangedError:\n            dev.refresh()\n"
    )
    workers = [subprocess.Popen([sys.executable, "-c", program, str(path), str(i)]) for i in range(2)]
    assert [worker.wait() for worker in workers] == [0, 0]
    assert known(path) == ["Cat"] * 12
