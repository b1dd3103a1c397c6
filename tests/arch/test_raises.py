"""Every error that metalwork raises on purpose is a ``MetalworkError``, read from the syntax trees."""

import ast
import builtins
from collections.abc import Iterator
from pathlib import Path

import pytest

import metalwork

PACKAGE = Path(metalwork.__file__).parent

ALLOWED = {
    ("_public.py", "AttributeError"): "what Python asks of a module's __getattr__",
    ("_documents.py", "ValueError"): "the json module's hooks; caught where the document is read",
    ("backends/_packing.py", "EOFError"): "caught in the same room: the process at the other end is gone",
    ("data/_json.py", "ValueError"): "caught where the number of the line is known",
    ("data/_lines.py", "NotTextError"): "caught where the number of the line is known",
    ("delivery/_folder.py", "ValueError"): "caught in the same function: a configuration that is none",
    ("delivery/_serve/_app.py", "Refusal"): "caught in the same module: an answer with its own status code",
    ("delivery/_serve/_batching.py", "BusyError"): "caught by the server, which asks the client to come again",
    ("end_models/_featurized.py", "ValueError"): "what a stored model is not; caught where the file is known",
    ("end_models/_blocks.py", "ValueError"): "what a stored model is not; caught where the file is known",
    ("end_models/_scaling.py", "ValueError"): "what a stored model is not; caught where the file is known",
    ("end_models/_storage.py", "ValueError"): "what a stored model is not; caught where the file is known",
    ("examples/rcv1/records.py", "ValueError"): "caught in the same module, where the line's number is known",
    ("labeling/_guard.py", "TooSlow"): "what a slow LF raises on a record; caught, counted and named by apply",
    ("labeling/_returns.py", "ValueError"): "caught where the LF's returns are read, which names LF and record",
    ("labeling/_batch.py", "WrongReturn"): "caught where the LF's returns are read, which names LF and record",
    ("labeling/_returns.py", "WrongReturn"): "caught where the LF's returns are read, which names LF and record",
    ("labeling/_declared.py", "TypeError"): "what an LF raises that is called on a value it cannot read",
    ("labeling/_text_rules.py", "TypeError"): "caught by what makes the rule: a pattern that is no text",
    ("labeling/_votes.py", "TypeError"): "caught in the same module: a value that is no label",
    ("labeling/_votes.py", "_UnreadableError"): "caught in the same module, which counts it as a failure",
    ("sources/_llm/_answers.py", "UnreadableAnswerError"): "becomes a failure on its record, with the reason",
    ("sources/_llm/_client.py", "RejectedError"): "becomes a failure on its record, with the reason",
    (
        "sources/_llm/_client.py",
        "RetryError",
    ): "caught where the call is tried again; in the end a failure",
    ("sources/_llm/_prompt.py", "RedactError"): "becomes a failure on its record, with the reason",
    ("pipeline/_folder.py", "RuntimeError"): "a fault of our own code, not of its user",
    ("pipeline/_settings.py", "ValueError"): "what pydantic asks of a validator; it lists them as faults",
}
"""(file, exception): why it may be another one."""


def other_raises(package: Path) -> set[tuple[str, str]]:
    """(file, exception) of every ``raise`` of a built-in exception, or of a class derived from one alone."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(package.rglob("*.py"))}
    others = {name for name in dir(builtins) if name.endswith(("Error", "Exception", "Iteration", "Exit"))}
    classes = [node for tree in trees.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    for _ in range(3):  # classes of classes of built-in ones
        others |= {
            node.name
            for node in classes
            if node.name != "MetalworkError"
            and (bases := {ast.unparse(base) for base in node.bases}) & others
            and not any("Metalwork" in base for base in bases)
        }
    return {
        (path.relative_to(package).as_posix(), name)
        for path, tree in trees.items()
        for name in _raised(tree)
        if name in others
    }


def _raised(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and node.exc is not None:
            yield ast.unparse(node.exc.func if isinstance(node.exc, ast.Call) else node.exc)


def test_every_deliberate_error_is_a_metalwork_error() -> None:
    assert sorted(other_raises(PACKAGE) - set(ALLOWED)) == []


def test_what_is_allowed_is_still_needed() -> None:
    assert sorted(set(ALLOWED) - other_raises(PACKAGE)) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("raise ValueError('a')", {("a.py", "ValueError")}),
        ("raise KeyError", {("a.py", "KeyError")}),
        ("class Odd(LookupError): pass\nraise Odd()", {("a.py", "Odd")}),
        ("class Odd(LookupError): pass\nclass Odder(Odd): pass\nraise Odder()", {("a.py", "Odder")}),
        ("class Ours(MetalworkError, ValueError): pass\nraise Ours()", set()),
        ("try: pass\nexcept ValueError as error: raise", set()),
    ],
)
def test_a_planted_raise_is_found(tmp_path: Path, text: str, found: set[tuple[str, str]]) -> None:
    (tmp_path / "a.py").write_text(text, encoding="utf-8")
    assert other_raises(tmp_path) == found
