"""Project and schema files: what is read, and the one line that says where a file cannot be."""

from pathlib import Path
from typing import Any

import pytest

from metalwork import _documents
from metalwork._documents import load_document
from metalwork.errors import ConfigError


def load(folder: Path, text: str | bytes, name: str = "a.yaml") -> Any:
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return load_document(folder / name)


def message(folder: Path, text: str | bytes, name: str = "a.yaml") -> str:
    """The whole error text, the folder left out."""
    with pytest.raises(ConfigError) as caught:
        load(folder, text, name)
    return str(caught.value).replace(f"{folder}/", "")


def test_yaml_is_1_2_and_becomes_plain_values(tmp_path: Path) -> None:
    text = "a: no\nb: [1, 2.5, true, null, 0o7]\nc:\n  d: &x {e: 'f'}\n  g: *x\n"
    value = load(tmp_path, text).value
    assert value == {"a": "no", "b": [1, 2.5, True, None, 7], "c": {"d": {"e": "f"}, "g": {"e": "f"}}}
    assert [type(part) for part in (value, value["a"], value["b"], *value["b"][:3])] == [
        dict,
        str,
        list,
        int,
        float,
        bool,
    ]


def test_json_is_read_as_json(tmp_path: Path) -> None:
    long = "k" * 2000
    text = '{\t"a":\t"\\ud83d\\ude00\\/",\n\t"b": [1, 2], "' + long + '"\n: "\x7f"}'
    assert load(tmp_path, text, "a.json").value == {"a": "😀/", "b": [1, 2], long: "\x7f"}


def test_byte_order_mark_and_crlf_are_no_text(tmp_path: Path) -> None:
    assert load(tmp_path, b"\xef\xbb\xbfa: 1\r\nb:\r\n  - c\r\n").value == {"a": 1, "b": ["c"]}


@pytest.mark.parametrize("name", ["a.yaml", "a.json"])
def test_positions_of_values(tmp_path: Path, name: str) -> None:
    document = load(tmp_path, '{"a": 1,\n "b": [{"c": 2},\n   3]}', name)
    found = [document.locate(keys) for keys in [(), ("a",), ("b",), ("b", 0), ("b", 0, "c"), ("b", 1)]]
    assert [place.replace(f"{tmp_path / name}", "") for place in found] == [
        ":1:1",
        ":1:2",
        ":2:2",
        ":2:8",
        ":2:9",
        ":3:4",
    ]
    assert document.locate(("b", 1, "nowhere", 7)) == document.locate(("b", 1))
    assert document.locate(("x",)) == document.locate()


def test_positions_of_an_empty_file_and_of_json_that_is_no_yaml(tmp_path: Path) -> None:
    assert load(tmp_path, "").locate(("a",)) == f"{tmp_path / 'a.yaml'}:1:1"
    assert load(tmp_path, '{"' + "k" * 2000 + '": 1}', "a.json").locate() == str(tmp_path / "a.json")


YAML_FAULTS = {
    "[[]]: 3": "a.yaml:1:1: not valid YAML: a key must be text or a number.",
    "a: 1\n? {b: 1}\n: 3": "a.yaml:2:3: not valid YAML: a key must be text or a number.",
    "x:\n  [a, b]: 3": "a.yaml:2:3: not valid YAML: a key must be text or a number.",
    "a: 2024-13-45": "a.yaml:1:4: not valid YAML: month must be in 1..12.",
    "a:\n- !!int foo": "a.yaml:2:3: not valid YAML: invalid literal for int() with base 10: 'foo'.",
    "a: 1\nb: !!python/object:os.system x": (
        "a.yaml:2:1: must be text, a number, a list or a mapping; got TaggedScalar."
    ),
    "a: !!set {b, c}": "a.yaml:1:1: must be text, a number, a list or a mapping; got CommentedSet.",
    "a:\n\t- b": "a.yaml:2:1: not valid YAML: found character '\\t' that cannot start any token.",
    "a: \x00": "a.yaml: not valid YAML: unacceptable character #x0000: special characters are not allowed.",
    "a: [1, 2": "a.yaml:1:9: not valid YAML: expected ',' or ']', but got '<stream end>'.",
    "a: 1\n---\nb: 2": "a.yaml:2:1: not valid YAML: but found another document.",
    "a: *x": "a.yaml:1:4: not valid YAML: found undefined alias 'x'.",
    "a: 1\nb: 2\na: 3": (
        'a.yaml:3:1: a key stands twice (found duplicate key "a" with value "3" (original value: "1")). Keep one.'
    ),
    "&a\nb: *a": "a.yaml:2:1: a value contains itself (a YAML alias to its own parent). Write it out.",
    "b: &a [1, *a]": "a.yaml:1:4: not valid YAML: a value contains itself; write it out.",
    "[" * 5000: "a.yaml: nested too deeply to be read.",
    'a:\n- "\\ud800"': "a.yaml:2:3: the text '\\ud800' holds half of a surrogate pair. Write it whole.",
}


@pytest.mark.parametrize("text", YAML_FAULTS, ids=range(len(YAML_FAULTS)))
def test_yaml_faults(tmp_path: Path, text: str) -> None:
    assert message(tmp_path, text) == YAML_FAULTS[text]


JSON_FAULTS = {
    '{"a": 1,\n "b" 2}': "a.json:2:6: not valid JSON: Expecting ':' delimiter.",
    "{'a': 1}": "a.json:1:2: not valid JSON: Expecting property name enclosed in double quotes.",
    "a: 1": "a.json:1:1: not valid JSON: Expecting value.",
    "": "a.json:1:1: not valid JSON: Expecting value.",
    '{"a": NaN}': "a.json: not valid JSON: NaN is no JSON number.",
    '{"a": 1,\n "a": 2}': (
        'a.json:2:2: a key stands twice (found duplicate key "a" with value "2" (original value: "1")). Keep one.'
    ),
    '{"' + "k" * 2000 + '": 1, "a": 1, "a": 2}': "a.json: not valid JSON: the key 'a' stands twice.",
    "[" * 100_000: "a.json: nested too deeply to be read.",
}


@pytest.mark.parametrize("text", JSON_FAULTS, ids=range(len(JSON_FAULTS)))
def test_json_faults(tmp_path: Path, text: str) -> None:
    assert message(tmp_path, text, "a.json") == JSON_FAULTS[text]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert message(tmp_path, b"a: \xff") == "a.yaml: must be UTF-8 text; byte 3 is not. Save it as UTF-8."
    for path, text in [(tmp_path / "none", "there is no such file."), (tmp_path, "a file is needed here,")]:
        with pytest.raises(ConfigError, match=text):
            load_document(path)


def test_an_alias_of_aliases_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_documents, "_MOST_VALUES", 1000)
    lines = ["a0: &a0 [x, x]"] + [f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 40)]
    fault = "a.yaml:7:9: more than 1,000 values (a YAML alias of aliases?). Write less."
    assert message(tmp_path, "\n".join(lines)).split(": ", 1)[1] == fault.split(": ", 1)[1]
