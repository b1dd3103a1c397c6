"""A task schema that is not one tree: every fault, at once, where it stands in the file."""

from pathlib import Path
from typing import Any

import pytest

import metalwork as mw
from metalwork.errors import ConfigError, SchemaError


def faults(value: Any) -> list[str]:
    """Every fault of a schema given as a value; the error's text must list just these."""
    with pytest.raises(SchemaError) as caught:
        mw.TaskSchema.from_dict(value)
    found = list(caught.value.faults)
    count = "1 fault" if len(found) == 1 else f"{len(found)} faults"
    lines = [f"The task schema has {count}:", *(f"  - {fault}" for fault in found)]
    assert str(caught.value) == "\n".join(lines)
    return found


def file_faults(folder: Path, text: str, name: str = "s.yaml") -> list[str]:
    """Every fault of a schema file, the folder left out."""
    (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(SchemaError) as caught:
        mw.TaskSchema.from_yaml(folder / name)
    return [fault.replace(f"{folder}/", "") for fault in caught.value.faults]


def task(name: Any, labels: Any, **more: Any) -> dict[str, Any]:
    return {"task": name, "labels": labels, **more}


AB = ["a", "b"]
ROOTS = (
    "Hang the others under labels; or, where they share nothing but the records, write a project a tree over the "
    "same data, or use TaskForest in Python."
)
SHAPE = "a task must be a mapping with the keys 'task' and 'labels'; got"
CASES: list[tuple[Any, list[str]]] = [
    ([task("x", AB), task("y", AB)], [f"a schema must have one root task; got 2: 'x', 'y'. {ROOTS}"]),
    ([], ["a schema must have at least one task."]),
    ({"tasks": []}, ["a schema must have at least one task."]),
    (None, [f"{SHAPE} None.", "a schema must have at least one task."]),
    ("x", [f"{SHAPE} 'x'.", "a schema must have at least one task."]),
    (task("x", []), ["task 'x' has no label; a task must have at least one."]),
    (task("x", ["a"]), ["a schema must have at least two end labels; got one, 'a': nothing to tell."]),
    (
        task("x", [{"a": task("y", ["b"])}]),
        ["a schema must have at least two end labels; got one, 'b': nothing to tell."],
    ),
    (
        task("x", "ab"),
        ["task 'x': 'labels' must be a list; got 'ab'.", "task 'x' has no label; a task must have at least one."],
    ),
    (task("x", ["a", "a", "a"]), ["task 'x' has the label 'a' 3 times. Rename one."]),
    (task("x", ["caf\u00e9", "cafe\u0301"]), ["task 'x' has the label 'caf\u00e9' 2 times. Rename one."]),
    (task("x", [{"a": task("x", AB)}, "b"]), ["the task name 'x' stands twice. Rename one."]),
    (
        task("x", [False, None, 2.5, " ", "a", "b"]),
        [
            "a label name must be text; got False. Put it in quotes.",
            "a label name must be text; got None. Put it in quotes.",
            "a label name must be text; got 2.5. Put it in quotes.",
            "a label name must not be empty.",
        ],
    ),
    (
        task(7, AB),
        ["a task name must be text; got 7. Put it in quotes.", "a schema must have at least one task."],
    ),
    ({"labels": AB}, ["a task must have a name under the key 'task'.", "a schema must have at least one task."]),
    (task("x", AB, label=3), ["unknown key 'label'; a task has 'task', 'labels', 'parent' and 'when'."]),
    ({"tasks": [task("x", AB)], "title": 1}, ["unknown key 'title' beside 'tasks'."]),
    (
        [task("x", AB), task("y", AB, parent="z", when="a")],
        ["task 'y' names the parent 'z', which is no task here."],
    ),
    ([task("x", AB), task("y", AB, parent="x", when="c")], ["task 'y' hangs on 'c', no label of 'x' (a, b)."]),
    (
        [task("x", AB), task("y", AB, parent="x")],
        ["task 'y' names a parent, so 'when' must name the parent's label."],
    ),
    (
        [task("x", AB), task("y", AB, parent="x", when="a"), task("z", AB, parent="x", when="a")],
        ["tasks 'y' and 'z' hang on the same label 'a'; one may."],
    ),
    (
        [task("r", AB), task("x", AB, parent="y", when="a"), task("y", AB, parent="x", when="a")],
        ["the tasks form a cycle: x -> y -> x."],
    ),
    (
        [task("x", AB, parent="y", when="a"), task("y", AB, parent="x", when="a")],
        ["the tasks form a cycle: x -> y -> x."],
    ),
    (
        task("x", [{"a": task("y", AB), "b": None}, "c", "d"]),
        [
            "a label with a child task must be written {label: task}; got "
            + repr({"a": task("y", AB), "b": None})
            + "."
        ],
    ),
    (
        task("x", [{"a": "y"}, "b"]),
        [f"{SHAPE} 'y'."],
    ),
    (
        task("x", [{"p": task("y", ["o", "b"])}, {"p/o": task("z", ["q", "r"])}, {"s": task("w", ["o", "p/o"])}]),
        ["two end labels are both called 'p/o'. Rename one."],
    ),
    (
        task("x", [{"a": task("y", AB, parent="x")}, "b"]),
        ["task 'y' stands under its parent's label: leave out 'parent' and 'when'."],
    ),
    (task("x", AB, when="a"), ["task 'x' has 'when' but no 'parent'. Name both or neither."]),
]


@pytest.mark.parametrize(("value", "expected"), CASES, ids=range(len(CASES)))
def test_each_fault(value: Any, expected: list[str]) -> None:
    assert faults(value) == expected


def test_a_task_that_contains_itself() -> None:
    loop = task("x", AB)
    loop["labels"] = [{"a": loop}, "b"]
    assert faults(loop) == ["a task contains itself (a cycle)."]


def test_tasks_nested_too_deeply() -> None:
    value: Any = "end"
    for i in range(5000):
        value = {f"a{i}": task(f"t{i}", [value, f"b{i}"])}
    assert faults(value["a4999"]) == ["the tasks must be nested at most 1,000 levels deep; got 5,000."]


def test_the_helper_fails_on_a_sound_schema() -> None:
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        faults(task("x", AB))


YAML = """\
title: x
tasks:
- task: sector
  labels: [Corporate, no, 7.5]
- task: corporate
  parent: sectr
  when: Corporate
  labels: [Performance, Performance]
- task: markets
  parent: sector
  when: Markets
  labels:
  - Money
- task: other
  labels:
  - a
  - {b: {task: deep, labels: [c], lables: [d]}}
"""


def test_all_faults_of_a_file_at_once_with_their_positions(tmp_path: Path) -> None:
    assert file_faults(tmp_path, YAML) == [
        "s.yaml:1:1: unknown key 'title' beside 'tasks'.",
        "s.yaml:4:27: a label name must be text; got 7.5. Put it in quotes.",
        "s.yaml:17:35: unknown key 'lables'; a task has 'task', 'labels', 'parent' and 'when'.",
        "s.yaml:5:3: task 'corporate' has the label 'Performance' 2 times. Rename one.",
        f"s.yaml:14:3: a schema must have one root task; got 2: 'sector', 'other'. {ROOTS}",
        "s.yaml:5:3: task 'corporate' names the parent 'sectr', which is no task here.",
        "s.yaml:9:3: task 'markets' hangs on 'Markets', no label of 'sector' (Corporate, no).",
    ]


def test_a_json_file_with_its_positions(tmp_path: Path) -> None:
    text = '{"task": "x",\n\t"labels": [1.5,\n\t "a", {"b": {"task": "y",\n"labels": []}}]}'
    assert file_faults(tmp_path, text, "s.json") == [
        "s.json:2:13: a label name must be text; got 1.5. Put it in quotes.",
        "s.json:3:15: task 'y' has no label; a task must have at least one.",
    ]


def test_two_end_labels_of_one_path_name_carry_the_file(tmp_path: Path) -> None:
    text = "task: x\nlabels:\n- p: {task: y, labels: [o, b]}\n- s: {task: w, labels: [o, p/o]}\n"
    found = file_faults(tmp_path, text)
    assert found == ["s.yaml:1:1: two end labels are both called 'p/o'. Rename one."]


def test_yaml_1_2_reads_no_as_text(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("task: answer\nlabels: [yes, no, off]\n")
    assert mw.TaskSchema.from_yaml(tmp_path / "s.yaml").end_labels == ("yes", "no", "off")


def test_a_file_that_is_no_yaml_is_a_config_error(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("a: [")
    with pytest.raises(ConfigError, match=r"s\.yaml:1:5: not valid YAML"):
        mw.TaskSchema.from_yaml(tmp_path / "s.yaml")
