"""JSON: lines of one form by polars, others one by one, with equal results; arrays of objects."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from metalwork.data import Limits, _jsonl, iter_records, read_records
from metalwork.data._columns import concatenate, frame_of
from metalwork.data._opening import open_bytes
from metalwork.errors import DataError


def written(path: Path, text: str) -> Path:
    path.write_bytes(text.encode("utf-8"))
    return path


def shown(rows: list[tuple[Any, ...]]) -> list[tuple[str, ...]]:
    """Rows as text, in which 1 and 1.0 differ."""
    return [tuple(map(repr, row)) for row in rows]


def a_value(draw: random.Random, kind: str) -> Any:
    if draw.random() < 0.1:
        return None
    choices: dict[str, list[Any]] = {
        "text": ["", "a", "é\n", '"\\', "\U0001f600", "\u2028", "\x7f\x1f"],
        "whole": [0, -7, 10**17, 10**18, 2**63, 2**70],
        "number": [1.5, -0.0, 1e22, 5e-324, 0.1],
        "truth": [True, False],
        "nested": [[1, "a"], {"x": 1}, []],
    }
    return draw.choice(choices.get(kind) or choices[draw.choice(list(choices))])


def made(draw: random.Random) -> bytes:
    kinds = {key: draw.choice(["text", "whole", "number", "truth", "nested", "any"]) for key in ("a", "b c", 'd"')}
    records = []
    for _ in range(draw.randint(1, 30)):
        record = {key: a_value(draw, kind) for key, kind in kinds.items()}
        if draw.random() < 0.1:
            record["late"] = 1
        records.append(record)
    is_ascii, marks = draw.random() < 0.5, draw.choice([(",", ":"), (", ", ": ")])
    lines = [json.dumps(record, ensure_ascii=is_ascii, separators=marks) for record in records]
    content = bytearray("\n".join([*lines, ""]).encode())
    if draw.random() < 0.3:
        content[draw.randrange(len(content))] = draw.choice(b'\x00\xff",\n\r a{}[]:')
    return bytes(content)


def by_hand(path: Path) -> Any:
    try:
        with open_bytes(path) as stream:
            parsed = [_jsonl.parse_line(path, raw, number, Limits()) for number, raw in enumerate(stream, 1)]
        records = [record for record in parsed if record is not None]
    except DataError as error:
        return str(error)
    return shown(frame_of(records, {name: name for record in records for name in record}).rows())


def test_forms_give_what_the_json_module_gives(tmp_path: Path) -> None:
    draw, path, seen = random.Random(5), tmp_path / "a.jsonl", set()
    for _ in range(400):
        path.write_bytes(made(draw))
        expected = by_hand(path)
        try:
            found: Any = shown(concatenate(list(iter_records(path, draw.choice([1, 4, 100])))).rows())
        except DataError as error:
            found = str(error)
        assert found == expected
        seen.add(type(expected))
    assert seen == {list, str}


def test_polars_reads_lines_of_one_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_jsonl._Chunk, "_by_hand", None)
    text = '{"id": 1, "t": "a\\u00e9\\n", "x": null}\n{"id": null, "t": "", "x": 2.50}\r\n{"id":3,"t":"b","x":1e3}'
    frame = read_records(written(tmp_path / "a.jsonl", text))
    assert shown(frame.rows()) == shown([(1, "aé\n", None), (None, None, 2.5), (3, "b", 1000.0)])


def test_numbers_keep_all_their_digits(tmp_path: Path) -> None:
    text = '{"id": 12345678901234567890123}\n{"id": 1e400}\n{"id": -9223372036854775808}\n'
    values = read_records(written(tmp_path / "a.jsonl", text))["id"].to_list()
    assert list(map(str, values)) == ["12345678901234567890123", "1E+400", "-9223372036854775808"]


def test_a_key_that_turns_up_late_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", '{"a": 1}\n' * 12_000 + '{"a": 2, "b": "x"}\n')
    assert read_records(path)["b"].to_list() == [None] * 12_000 + ["x"]


def test_one_array_of_objects_or_texts(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", '\ufeff [\n {"a": 1, "b": {"k": 2}},\n {"a": 2.5}\n]\n')
    assert shown(read_records(path).rows()) == shown([(1, {"k": 2}), (2.5, None)])
    assert read_records(written(tmp_path / "b.json", '["x", "y"]')).rows() == [("x",), ("y",)]
    assert read_records(written(tmp_path / "c.json", '{"a": 1}\n{"a": 2}\n')).rows() == [(1,), (2,)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"a": 1},\n {"a": }]', "a.json:2: not valid JSON at column 8: Expecting value. Mend the file."),
        ('[{"a": 1, "a": 2}]', "a.json: the key 'a' stands twice. Mend the file."),
        ('[{"a": NaN}]', "a.json: NaN is not JSON; write null. Mend the file."),
        (
            "[1, 2]",
            "a.json: records must be dicts from column to value; got int at row 0. Pass e.g. [{'text': '...'}].",
        ),
        ("[]", "a.json: must hold at least one record; there is none."),
        ('{"a": {\n "b": 1}}', "a.json:1: not valid JSON at column 1: Expecting property name"),
        ("[{}]", "records must have at least one column; none has any. Give each a key, e.g. 'text'."),
    ],
)
def test_a_bad_json_file_is_one_clear_error(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_records(written(tmp_path / "a.json", text))
    assert str(caught.value).removeprefix(f"{tmp_path}/").startswith(message)
