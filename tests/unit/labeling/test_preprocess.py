"""Preprocessors, and labeling functions that read the votes of others."""

import asyncio
import re
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import metalwork as mw
from metalwork.errors import LabelingError

SCHEMA = mw.TaskSchema.flat(["ham", "spam"], task="kind")
TEXTS = ["a b", "c", "a b c"]
calls: list[Any] = []
elsewhere: dict[str, Any] = {"__name__": "elsewhere"}
exec("def len_of(text): return 1", elsewhere)
len_of = elsewhere["len_of"]


@mw.preprocessor(output="words")
def split(text: str) -> list[str]:
    calls.append(text)
    return text.split()


@mw.preprocessor("lengths", batch=True)
def measure(words: list[Any]) -> list[int]:
    calls.append("at once")
    return [len(one) for one in words]


@mw.labeling_function(task="kind")
def many(words: list[str]) -> str | None:
    return "spam" if len(words) > 2 else None


@mw.labeling_function(task="kind")
def first(words: list[str]) -> str | None:
    return "ham" if words[0] == "a" else None


@mw.labeling_function(task="kind")
def long(lengths: int) -> str | None:
    return "spam" if lengths > 1 else None


def codes(lfs: list[mw.LabelingFunction], records: Any = TEXTS, **options: Any) -> list[list[int]]:
    found: list[list[int]] = mw.apply(lfs, records, SCHEMA, **options).stored_codes.T.tolist()
    return found


def test_an_output_is_made_once_a_record_and_only_if_asked_for() -> None:
    calls.clear()
    assert codes([many, first, long]) == [[-1, -1, 1], [0, -1, 0], [1, -1, 1]]
    assert calls == [*TEXTS, "at once"]
    calls.clear()
    codes([mw.keywords("kind", "spam", ["b"])])
    assert calls == []


def test_workers_find_them() -> None:
    assert codes([many, first, long], backend="processes", n_jobs=2, chunk_size=2) == codes([many, first, long])


def test_those_made_in_a_function_are_found_there() -> None:
    @mw.preprocessor(output="loud")
    def shout(text: str) -> str:
        return text.upper()

    @mw.labeling_function(task="kind")
    def loud_b(loud: str) -> str | None:
        return "spam" if "B" in loud else None

    assert codes([loud_b]) == [[1, -1, 1]]


def test_what_another_function_made_is_gone_with_it() -> None:
    def make() -> None:
        @mw.preprocessor(output="passing")
        def passing(text: str) -> str:
            return text

    make()
    lf = mw.from_callable(lambda passing: "ham", "kind", name="lf")
    with pytest.raises(LabelingError, match="LF 'lf' reads a column that is not there: 'passing' is no column"):
        codes([lf])


def test_declared_lfs_find_those_of_other_lfs_modules_and_those_given() -> None:
    @mw.preprocessor(output="turned")
    def turn(text: str) -> str:
        return text[::-1]

    turned = mw.regex("kind", "spam", "^c", field="turned", flags=0)
    assert codes([turned, many]) == [[-1, 1, 1], [-1, -1, 1]]
    other = types.ModuleType("other")
    exec("import metalwork as mw\n@mw.preprocessor()\ndef upper(text): return text.upper()", vars(other))
    upper = mw.regex("kind", "spam", "^A", field="upper", flags=0)
    assert codes([upper], preprocessors=[other.upper]) == [[1, -1, 1]]
    with pytest.raises(LabelingError, match="'upper' is no column"):
        codes([upper])


def test_numbers_are_read_from_what_is_made() -> None:
    @mw.preprocessor(output="share")
    def share(text: str) -> float:
        if text == "c":
            raise ValueError("too short")
        return 0.9

    lf = mw.from_probabilities("kind", {"share": "spam"}, name="shared")
    votes = mw.apply([lf, many], TEXTS, SCHEMA, max_error_rate=1)
    assert votes.stored_codes[1, 0] == -3
    assert votes.vote_name(0, int(votes.codes[0, 0])) == "spam 0.9"


def test_a_failure_is_one_of_each_lf_that_asked() -> None:
    @mw.preprocessor(output="checked")
    def check(text: str) -> str:
        if text == "c":
            raise ValueError("too short")
        return text

    @mw.labeling_function(task="kind")
    def asks(checked: str) -> str:
        return "ham"

    lfs = [asks, mw.keywords("kind", "spam", ["b"], field="checked", name="words"), many]
    votes = mw.apply(lfs, TEXTS, SCHEMA, max_error_rate=1)
    assert votes.stored_codes.T.tolist() == [[0, -3, 0], [1, -3, 1], [-1, -1, 1]]
    reason = "it needs 'checked', which failed: ValueError: too short"
    assert [(i.lf, i.row, i.message) for i in votes.incidents] == [("asks", 1, reason), ("words", 1, reason)]


def test_a_batch_that_fails_has_failed_on_all_of_it() -> None:
    @mw.preprocessor(output="broken", batch=True)
    def broken(text: list[str]) -> list[str]:
        raise RuntimeError("no model")

    @mw.preprocessor(output="short", batch=True)
    def short(text: list[str]) -> list[str]:
        return text[:1]

    lfs = [mw.from_callable(lambda broken: "ham", "kind", name="a")]
    lfs.append(mw.from_callable(lambda short: "ham", "kind", name="b"))
    votes = mw.apply(lfs, TEXTS, SCHEMA, max_error_rate=1)
    assert votes.stored_codes.tolist() == [[-3, -3]] * 3
    messages = {incident.lf: incident.message for incident in votes.incidents}
    assert messages == {
        "a": "it needs 'broken', which failed: RuntimeError: no model",
        "b": "it needs 'short', which failed: it returned 1 results for a batch of 3 records",
    }


def test_no_lf_changes_what_another_reads() -> None:
    @mw.labeling_function(task="kind")
    def rude(words: list[str]) -> str:
        words.clear()
        return "ham"

    assert codes([rude, many]) == codes([rude, many], TEXTS)
    assert codes([rude, many])[1] == codes([many])[0]


def test_a_column_of_the_same_name_is_an_error() -> None:
    text = (
        "LF 'many' reads 'words', which is both a column of the records and the output of a preprocessor. "
        "Give the preprocessor another output."
    )
    with pytest.raises(LabelingError, match=re.escape(text)):
        codes([many], [{"words": "a", "text": "b"}])


def test_two_of_one_output_are_an_error_unless_one_is_given() -> None:
    modules = []
    for word in ("one", "two"):
        module = types.ModuleType(word)
        names = vars(module)
        names["WORD"] = word
        exec(
            "import metalwork as mw\n@mw.preprocessor('doc')\ndef doc(text): return WORD\n"
            "@mw.labeling_function(task='kind', name=WORD)\ndef lf(doc): return 'ham' if doc == 'two' else None",
            names,
        )
        modules.append(module)
    lfs = [module.lf for module in modules]
    with pytest.raises(LabelingError, match="LF 'two' reads 'doc', the output of two preprocessors"):
        codes(lfs)
    assert codes(lfs, preprocessors=[modules[1].doc]) == [[0, 0, 0], [0, 0, 0]]


def test_circles_are_an_error() -> None:
    @mw.preprocessor(output="left")
    def left(right: str) -> str:
        return right

    @mw.preprocessor(output="right")
    def right(left: str) -> str:
        return left

    with pytest.raises(LabelingError, match="What is read must not go in a circle; got 'left' > 'right' > 'left'"):
        codes([mw.from_callable(lambda left: "ham", "kind", name="lf")])
    own = mw.from_callable(lambda crash: "ham", "kind", name="crash")
    with pytest.raises(LabelingError, match="got 'crash' > 'crash'"):
        codes([own])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (split, "preprocessors must be a list of preprocessors; got Preprocessor('words', fields=['text'])."),
        ([len], "preprocessors must be preprocessors; got <built-in function len>."),
        ([split, mw.preprocessor("words")(len_of)], "must have distinct outputs; got 'words' twice."),
    ],
)
def test_what_is_given_must_be_preprocessors(given: Any, message: str) -> None:
    with pytest.raises(LabelingError, match=re.escape(message)):
        codes([many], preprocessors=given)


def test_a_misdeclared_preprocessor_says_what_is_wrong() -> None:
    with pytest.raises(LabelingError, match="A preprocessor must be a plain callable; got 'text'"):
        mw.preprocessor("doc")("text")  # type: ignore[arg-type]
    with pytest.raises(LabelingError, match="arguments of preprocessor 'doc' must name the columns it reads"):
        mw.preprocessor("doc")(lambda: None)
    assert split("a b") == ["a", "b"]
    assert repr(split) == "Preprocessor('words', fields=['text'])"


@mw.labeling_function(task="kind")
def crash(text: str) -> Any:
    if text == "c":
        raise ValueError("c")
    return "spam" if "c" in text else None


@mw.labeling_function(task="kind")
def severe(text: str, crash: str | None) -> str | None:
    return None if crash is None else "ham" if crash == "spam" else "spam"


def test_an_lf_reads_the_votes_of_another() -> None:
    for lfs in ([crash, severe], [severe, crash]):
        votes = mw.apply(lfs, TEXTS, SCHEMA, max_error_rate=1)
        found = {name: votes.stored_codes[:, j].tolist() for j, name in enumerate(votes.names)}
        assert found == {"crash": [-1, -3, 1], "severe": [-1, -3, 0]}
        assert "it needs 'crash', which failed" in {incident.message for incident in votes.incidents}


def test_sets_and_probabilities_are_read_as_they_were_voted() -> None:
    schema = mw.TaskSchema.flat(["a", "b", "c"], task="kind")
    said: dict[str, Any] = {"a b": {"a", "b"}, "c": {"a": 0.5, "b": 0.3, "c": 0.2}, "a b c": None}
    read: list[Any] = []

    @mw.labeling_function(task="kind")
    def base(text: str) -> Any:
        return said[text]

    @mw.labeling_function(task="kind")
    def reader(base: Any) -> None:
        read.append(base)

    mw.apply([reader, base], TEXTS, schema)
    assert read[0] == frozenset({"a", "b"})
    assert read[1] == pytest.approx({"a": 0.5, "b": 0.3, "c": 0.2}, abs=0.06)
    assert read[2] is None


def test_an_lf_of_all_tasks_is_read_by_its_labels() -> None:
    tree = mw.TaskSchema.from_dict(
        {"task": "top", "labels": [{"x": {"task": "below", "labels": ["u", "v"]}}, "y"]}
    )
    read: list[Any] = []

    @mw.labeling_function(task=None)
    def anywhere(text: str) -> str | None:
        return {"a b": "u", "c": "y"}.get(text)

    @mw.labeling_function(task="top")
    def reader(anywhere: Any) -> None:
        read.append(anywhere)

    mw.apply([reader, anywhere], TEXTS, tree)
    assert read[:3] == ["u", "y", None]


def note(place: Path, line: str) -> None:
    """Put a new file into a folder, which is not reading one."""
    place.mkdir(exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=place, delete=False) as lines:
        lines.write(line)


def noted(place: Path) -> list[str]:
    return sorted(path.read_text() for path in place.iterdir())


def test_outputs_are_kept_on_disk(tmp_path: Path) -> None:
    made = tmp_path / "made"

    @mw.preprocessor(output="kept", cache=True)
    def kept(text: str) -> Any:
        note(made, text)
        return {"n": [len(text), 1.5, None, True], "t": text}

    @mw.preprocessor(output="vector", cache=True, batch=True)
    def vector(text: list[str]) -> list[Any]:
        note(made, "vectors")
        return [np.full(3, len(one), np.float32) for one in text]

    for name in ("lf", "other"):  # other code, the same outputs

        def lf(kept: Any, vector: Any, name: str = name) -> str | None:
            assert kept == {"n": [len(kept["t"]), 1.5, None, True], "t": kept["t"]}
            assert vector.dtype == np.float32
            return "ham" if vector.sum() == 9 and name else None

        assert codes([mw.from_callable(lf, "kind", name=name)], cache=tmp_path / "votes") == [[0, -1, -1]]
    assert noted(made) == sorted([*TEXTS, "vectors"])


def test_outputs_that_cannot_be_kept_are_refused(tmp_path: Path) -> None:
    @mw.preprocessor(output="odd", cache=True)
    def odd(text: str) -> Any:
        return (text,)

    lf = mw.from_callable(lambda odd: "ham", "kind", name="lf")
    text = (
        "preprocessor 'odd', which says cache=True, must return texts, numbers, arrays of numbers, or lists and "
        "dicts of these; got tuple at row 0. Leave cache=True out."
    )
    with pytest.raises(LabelingError, match=re.escape(text)):
        codes([lf], cache=tmp_path / "votes")


def test_without_a_cache_outputs_are_kept_in_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METALWORK_CACHE", str(tmp_path / "cache"))
    made = tmp_path / "made"

    @mw.preprocessor(output="own", cache=True)
    def own(text: str) -> str:
        note(made, text)
        return text

    lf = mw.from_callable(lambda own: "ham", "kind", name="lf")
    codes([lf])
    codes([lf])
    assert noted(made) == sorted(TEXTS)
    assert "votes.sqlite3" in [path.name for path in (tmp_path / "cache").iterdir()]


def test_coroutines_wait_together_and_answer_in_order() -> None:
    state = {"now": 0, "most": 0}

    @mw.labeling_function(task="kind", concurrency=3)
    async def asks(text: str) -> str | None:
        state["now"] += 1
        state["most"] = max(state["most"], state["now"])
        await asyncio.sleep(0.02 if text == "a b" else 0.001)
        state["now"] -= 1
        if text == "c":
            raise TimeoutError("no answer")
        return "spam" if text == "a b" else None

    votes = mw.apply([asks], [*TEXTS, None, *TEXTS], SCHEMA, max_error_rate=1)
    assert votes.stored_codes[:, 0].tolist() == [1, -3, -1, -1, 1, -3, -1]
    assert votes.incidents[0].message == "TimeoutError: no answer"
    assert state["most"] == 3
    assert asks("a b") == "spam"
    assert not asks.cache


def test_coroutines_run_where_a_loop_runs_already() -> None:
    @mw.labeling_function(task="kind")
    async def asks(text: str) -> str:
        await asyncio.sleep(0)
        return "ham"

    async def notebook() -> Any:
        return codes([asks])

    assert asyncio.run(notebook()) == [[0, 0, 0]]


def test_coroutines_are_declared_rightly() -> None:
    async def asks(text: str) -> str:
        return "ham"

    for options, message in (
        ({"batch": True}, "LF 'asks' must be either asynchronous or batch=True; it is both."),
        ({"concurrency": 0}, "concurrency of LF 'asks' must be a whole number of at least 1; got 0."),
    ):
        with pytest.raises(mw.MetalworkError, match=re.escape(message)):
            mw.from_callable(asks, "kind", **options)
    with pytest.raises(LabelingError, match="concurrency of LF 'many' must be left out"):
        mw.from_callable(many.function, "kind", concurrency=3)
    assert "metalwork.labeling" in sys.modules
