"""Edits of project files: only what must change changes, and nothing wrong is ever written."""

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from metalwork._documents import load_document
from metalwork.editing import ProjectEditor
from metalwork.editing import _written as written
from metalwork.errors import ChangedError, ConfigError, MetalworkError

NEW = {"keywords": ["café", "a: b", "# x"], "task": "kind", "label": "spam", "name": "new one"}

HEAD = """schema: {task: kind, labels: [ham, spam]} # two
data:
  train: train.csv
features: {text: text}
"""

KINDS = {
    "block": """lfs: # rules
  # first
  rules: # simple ones
    - regex: 'a' # why
      task: kind
      label: ham
      name: one

    # about two
    - keywords:   [ "b",  c ]
      task: kind
      label: spam
      name: two # last
      # more of two
    # - regex: off

  cache: true
""",
    "dashes as far out as the key": """lfs:
  rules:
  - {regex: a, task: kind, label: ham, name: one}
  # two
  -
    # its name
    name: two
    regex: >-
      b
      | c
    task: kind
    label: spam
# the end of rules
""",
    "brackets": """lfs: {rules: [{regex: a, task: kind, label: ham, name: one}, # one
    {regex: b, task: kind, label: spam, name: two}, # two
  ], cache: true}
""",
    "brackets over lines": """lfs:
  rules: [
    {regex: a, task: kind, label: ham, name: one}, # one
    {regex: b, task: kind, label: spam, name: two}  # two
  ] # end
""",
    "anchors": """lfs:
  rules:
    - &one
      regex: a
      task: kind
      label: ham
      name: one
    - <<: *one
      regex: b
      name: two
""",
    "block text at the end": """lfs:
  rules:
    - regex: a
      task: kind
      label: ham
      name: one
    - task: kind
      label: spam
      name: two
      regex: |-
        b

        c

""",
}


def project(folder: Path, lfs: str, name: str = "project.yaml", *, head: str = HEAD) -> Path:
    (folder / "train.csv").write_text("text\na\nb\n")
    path = folder / name
    path.write_bytes((head + lfs).encode())
    return path


def value(path: Path) -> Any:
    return load_document(path).value


def is_inserted(old: bytes, new: bytes) -> bool:
    """Whether ``new`` is ``old`` with one piece put in."""
    starts = (n for n in range(len(old) + 1) if old[:n] == new[:n] and old[n:] == new[len(new) - len(old) + n :])
    return len(new) > len(old) and next(starts, None) is not None


def test_what_checks_an_insertion_fails_on_anything_else() -> None:
    assert is_inserted(b"abc", b"aXbc")
    assert not is_inserted(b"abc", b"aXb")
    assert not is_inserted(b"abc", b"Abc ")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
@pytest.mark.parametrize("ending", ["", "end"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_rule_is_put_in_and_taken_out_again(
    tmp_path: Path, kind: str, newline: str, bom: str, ending: str
) -> None:
    text = KINDS[kind] + ("random_state: 1" if ending else "")  # which ends without a line break
    path = project(tmp_path, text.replace("\n", newline), head=bom + HEAD.replace("\n", newline))
    before, was = path.read_bytes(), value(path)
    editor = ProjectEditor(path)
    editor.add_rule(NEW)
    after = path.read_bytes()
    assert list(editor.rules) == ["one", "two", "new one"]
    assert value(path)["lfs"]["rules"] == [*was["lfs"]["rules"], NEW]
    assert is_inserted(before, after) or kind == "brackets over lines"  # which also needs a comma
    if newline == "\r\n":
        assert after.replace(b"\r\n", b"").count(b"\n") == 0
    editor.remove_rule("new one")
    assert value(path) == was
    if kind not in ("brackets over lines", "brackets"):
        assert path.read_bytes() == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["one", "two"])
def test_a_rule_is_taken_out_and_all_else_stays(tmp_path: Path, kind: str, name: str) -> None:
    path = project(tmp_path, KINDS[kind])
    was = value(path)
    editor = ProjectEditor(path)
    if kind == "anchors" and name == "one":  # the other is made of it
        with pytest.raises(ConfigError, match="change it by hand"):
            editor.remove_rule(name)
        assert value(path) == was
        return
    editor.remove_rule(name)
    left = [rule for rule in was["lfs"]["rules"] if rule["name"] != name]
    assert value(path) == {**was, "lfs": {**was["lfs"], "rules": left}}
    gone = set(KINDS[kind].splitlines()) - set(path.read_text().splitlines())
    assert not any(line.strip() in ("# first", "# about two", "# - regex: off", "cache: true") for line in gone)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "anchors"])
def test_a_rule_is_replaced_where_it_differs(tmp_path: Path, kind: str) -> None:
    path = project(tmp_path, KINDS[kind])
    before = path.read_text().splitlines()
    editor = ProjectEditor(path)
    rule = {**editor.rules["one"], "label": "spam"}
    editor.replace_rule("one", rule)
    assert editor.rules["one"] == rule
    after = path.read_text().splitlines()
    differing = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert len(differing) == 1
    assert differing[0][0].replace("ham", "spam") == differing[0][1]


def test_another_kind_of_rule_stands_where_the_old_one_stood(tmp_path: Path) -> None:
    path = project(tmp_path, KINDS["block"])
    ProjectEditor(path).replace_rule("one", {"keywords": ["x"], "task": "kind", "label": "ham", "name": "one"})
    assert "    - keywords: [x] # why\n      task: kind\n      label: ham\n      name: one\n\n    # about two" in (
        path.read_text()
    )


def test_comments_beside_words_stay_with_them(tmp_path: Path) -> None:
    text = """lfs:
  rules:
    - keywords: # of 2023
        - error # seen often
        - broken
        - white screen # once
      task: kind
      label: ham
      name: one
"""
    path = project(tmp_path, text)
    editor = ProjectEditor(path)
    editor.replace_rule("one", {**editor.rules["one"], "keywords": ["error", "white screen", "off"]})
    wanted = text.replace("        - broken\n", "").replace("# once\n", "# once\n        - 'off'\n")
    assert path.read_text() == HEAD + wanted
    editor.replace_rule("one", {**editor.rules["one"], "keywords": ["quite", "another"]})
    assert "    - keywords: [quite, another] # of 2023\n      task: kind\n" in path.read_text()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("lfs: {python: lfs.py}\n", "lfs: {python: lfs.py, rules: [{"),
        ("lfs:\n  python: lfs.py # code\n", "lfs:\n  python: lfs.py # code\n  rules:\n    - keywords: ["),
        ("lfs:\n  rules: [] # none\n  python: lfs.py\n", "lfs:\n  rules: [{keywords: ["),
        ("lfs:\n  rules: # none\n  python: lfs.py\n", "lfs:\n  rules: # none\n    - keywords: ["),
        ("lfs:\n  rules: ~\n  python: lfs.py\n", "lfs:\n  rules: [{keywords: ["),
        ("lfs: # to come\n", "lfs: # to come\n  rules:\n    - keywords: ["),
        ("lfs:", "lfs:\n  rules:\n    - keywords: ["),
        ("", "lfs:\n  rules:\n    - keywords: ["),
        ("lfs: {}\n", "lfs: {rules: [{"),
        ("lfs: {} # tabs\there\n", "lfs: {rules: [{"),
        ("...\n", "lfs:\n  rules:\n    - keywords: ["),
    ],
)
def test_a_first_rule_is_put_where_rules_belong(tmp_path: Path, text: str, wanted: str) -> None:
    (tmp_path / "lfs.py").write_text("")
    path = project(tmp_path, text)
    editor = ProjectEditor(path)
    assert editor.rules == {}
    editor.add_rule(NEW)
    assert path.read_text().startswith(HEAD + wanted)
    assert value(path)["lfs"]["rules"] == [NEW]


def test_the_last_rule_leaves_an_empty_list(tmp_path: Path) -> None:
    (tmp_path / "lfs.py").write_text("")
    path = project(tmp_path, "lfs:\n  python: lfs.py\n  rules: # none\n")
    editor = ProjectEditor(path)
    editor.add_rule(NEW)
    editor.remove_rule("new one")
    assert path.read_text() == HEAD + "lfs:\n  python: lfs.py\n  rules: [] # none\n"


@pytest.mark.parametrize("pretty", [True, False])
def test_json_stays_json(tmp_path: Path, pretty: bool) -> None:
    import json

    written = {
        "schema": {"task": "kind", "labels": ["ham", "spam"]},
        "data": {"train": "train.csv"},
        "features": {"text": "text"},
        "lfs": {"rules": [{"regex": "\\ba\t", "task": "kind", "label": "ham"}]},
    }
    text = json.dumps(written, indent="\t" if pretty else None)
    path = project(tmp_path, text, "project.json", head="")
    editor = ProjectEditor(path)
    editor.add_rule(NEW | {"keywords": ['\x85\u2028\n\\"é']})
    editor.set("label_model.use_dev", False)
    editor.remove_rule("ham: \\ba\t")
    after = json.loads(path.read_text())
    assert after["lfs"]["rules"] == [NEW | {"keywords": ['\x85\u2028\n\\"é']}]
    assert after["label_model"] == {"use_dev": False}
    assert len(path.read_text().splitlines()) > 10 or not pretty


def test_keys_are_set_at_any_depth(tmp_path: Path) -> None:
    path = project(tmp_path, KINDS["block"])
    (tmp_path / "dev.csv").write_text("text,label\na,ham\n")
    editor = ProjectEditor(path)
    editor.set("data.dev", "dev.csv")
    editor.set("data.types", {"amount": "float"})
    editor.set(("end_model", "options", "dropout"), 0.25)
    editor.set("features.min_df", 3)
    editor.set("lfs.cache", False)
    expected = (HEAD + KINDS["block"]).replace(
        "  train: train.csv\n", "  train: train.csv\n  dev: dev.csv\n  types:\n    amount: float\n"
    )
    expected = expected.replace("{text: text}", "{text: text, min_df: 3}").replace("cache: true", "cache: false")
    assert path.read_text() == expected + "end_model:\n  options:\n    dropout: 0.25\n"


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (NEW | {"task": "kinds"}, "'kinds' is no task. Did you mean 'kind'?"),
        (NEW | {"label": "sapm"}, "Did you mean 'spam'?"),
        ({"task": "kind", "label": "ham"}, "exactly one of the keys"),
        ({"regex": "(", "task": "kind", "label": "ham"}, "must be a regular expression"),
        (NEW | {"name": "one"}, "must have distinct names; got twice in project.yaml: one"),
        (NEW | {"name": "of python"}, "got twice in project.yaml: of python"),
        (NEW | {"window": float("nan")}, "must be finite"),
        (NEW | {"window": object()}, "must be text, a number"),
        (NEW | {"name": "half \ud800"}, "project"),
        ({}, "must be given"),
    ],
)
def test_what_would_be_wrong_is_not_written(tmp_path: Path, rule: dict[str, Any], message: str) -> None:
    path = project(tmp_path, KINDS["block"])
    before = path.read_bytes()
    editor = ProjectEditor(path, taken=["of python"])
    with pytest.raises(MetalworkError) as caught:
        editor.add_rule(rule)
    assert message in str(caught.value)
    assert path.read_bytes() == before
    editor.add_rule(NEW)  # the editor goes on from what is written
    assert [*editor.rules] == ["one", "two", "new one"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "not valid YAML"),
        ("- a\n", "must be a mapping"),
        ("a: 1\na: 2\n", "a key stands twice"),
        ("lfs: *x\n", "not valid YAML"),
        ("lfs: {rules: {a: b}}\n", "lfs.rules must be a list"),
        ("lfs: 3\n", "lfs must be a mapping"),
        ("x: &x {rules: []}\nlfs: *x\n", "must be written out to be edited; it is an alias"),
        ("x: &x []\nlfs: {rules: *x}\n", "lfs.rules of project.yaml must be written out"),
    ],
)
def test_files_that_are_not_edited(tmp_path: Path, text: str, message: str) -> None:
    path = project(tmp_path, text, head="")
    with pytest.raises(ConfigError) as caught:
        ProjectEditor(path).add_rule(NEW)
    assert message in str(caught.value)
    assert path.read_text() == text


def test_a_rule_that_others_share_is_not_changed_for_all(tmp_path: Path) -> None:
    path = project(tmp_path, KINDS["anchors"])
    before, editor = path.read_bytes(), ProjectEditor(path)
    with pytest.raises(ConfigError, match="without touching something else"):
        editor.replace_rule("one", {**editor.rules["one"], "label": "spam"})
    assert path.read_bytes() == before
    editor.replace_rule("two", {**editor.rules["two"], "label": "spam"})  # written out over the shared one
    assert editor.rules["one"]["label"] == "ham"
    assert editor.rules["two"]["label"] == "spam"


def test_an_unknown_rule_is_named(tmp_path: Path) -> None:
    editor = ProjectEditor(project(tmp_path, KINDS["block"]))
    with pytest.raises(ConfigError, match=r"'tow' is no rule of project.yaml. Did you mean 'two'\?"):
        editor.remove_rule("tow")


def test_the_last_write_never_silently_wins(tmp_path: Path) -> None:
    path = project(tmp_path, KINDS["block"])
    mine, theirs = ProjectEditor(path), ProjectEditor(path)
    seen = mine.digest
    theirs.add_rule(NEW)
    before = path.read_bytes()
    with pytest.raises(ChangedError, match="somebody else has changed it since"):
        mine.remove_rule("one")
    assert path.read_bytes() == before
    late = ProjectEditor(path)
    with pytest.raises(ChangedError):
        late.remove_rule("one", expected=seen)
    late.remove_rule("one", expected=theirs.digest)
    assert [*late.rules] == ["two", "new one"]


def test_links_and_modes_stay(tmp_path: Path) -> None:
    path = project(tmp_path, KINDS["block"])
    path.chmod(0o600)
    link = tmp_path / "linked.yaml"
    link.symlink_to(path)
    ProjectEditor(link).add_rule(NEW)
    assert link.is_symlink()
    assert len(value(path)["lfs"]["rules"]) == 3
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = project(tmp_path, KINDS["block"])
    before, editor = path.read_bytes(), ProjectEditor(path)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        editor.add_rule(NEW)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["project.yaml", "train.csv"]
    editor.add_rule(NEW)


def test_a_killed_edit_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    path = project(tmp_path, KINDS["block"])
    program = (
        "import os, sys\nfrom metalwork.editing import ProjectEditor\n"
        "def dying(handle):\n    os.kill(os.getpid(), 9)\n"
        "os.fsync = dying\n"
        f"ProjectEditor({str(path)!r}).add_rule({NEW!r})\n"
    )
    before = path.read_bytes()
    assert subprocess.run([sys.executable, "-c", program]).returncode == -9
    assert path.read_bytes() == before
    ProjectEditor(path).add_rule(NEW)
    assert len(ProjectEditor(path).rules) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="no locks on folders")
def test_many_editors_at_once_lose_nothing(tmp_path: Path) -> None:
    path = project(tmp_path, KINDS["block"])
    program = (
        "import sys\nfrom metalwork.editing import ProjectEditor\nfrom metalwork.errors import ChangedError\n"
        "path, who = sys.argv[1:]\nfor i in range(4):\n"
        f"    rule = {NEW!r} | {{'name': f'{{who}} {{i}}'}}\n"
        "    while True:\n        try:\n            ProjectEditor(path).add_rule(rule)\n            break\n"
        "        except ChangedError:\n            pass\n"
    )
    workers = [subprocess.Popen([sys.executable, "-c", program, str(path), who]) for who in "xy"]
    assert [worker.wait() for worker in workers] == [0, 0]
    assert sorted(ProjectEditor(path).rules) == sorted(
        ["one", "two", *(f"{w} {i}" for w in "xy" for i in range(4))]
    )


def test_a_file_made_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("theirs")
    with pytest.raises(ChangedError, match="must not be there yet"):
        written.write_bytes(tmp_path / "x", b"mine", None)
    assert (tmp_path / "x").read_text() == "theirs"
