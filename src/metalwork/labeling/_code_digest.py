"""Digests of functions by what they do: their code, and the values, helpers and modules that it refers to."""

import builtins
import dis
import importlib
import importlib.util
import sys
import types
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from metalwork.labeling._origins import foreign_version
from metalwork.labeling._values_digest import ValueDigests

_MISSING: Final = object()
_DOCSTRING: Final = 0x4000000  # the flag of code that has one
_CACHED: Final = type(lru_cache(len))
_WHOLE: Final = frozenset({"globals", "locals", "vars", "dir", "eval", "exec", "compile", "__import__"})
_GLOBAL: Final = frozenset({"LOAD_GLOBAL", "LOAD_NAME"})
_ATTRIBUTE: Final = frozenset({"LOAD_ATTR", "LOAD_METHOD"})
_UNSEEN: Final = {
    "random": "chance",
    "secrets": "chance",
    "uuid": "chance",
    "time": "the clock",
    "socket": "the network",
    "requests": "the network",
    "httpx": "the network",
    "subprocess": "another process",
}
"""Modules that answer differently from call to call."""
_UNSEEN_NAMES: Final = {
    "now": "the clock",
    "utcnow": "the clock",
    "today": "the clock",
    "urandom": "chance",
    "default_rng": "chance",
    "environ": "the environment",
    "getenv": "the environment",
    "random": "chance",
    "import_module": "modules by a name that is made as it runs",
    "__doc__": "a docstring",
}
"""Attributes that do so."""


class CodeDigests(ValueDigests):
    """Digests values and functions.

    Of the user's own functions, classes and modules the content counts, as far as code refers to it; of everything
    else name and version. Names of functions and variables, line numbers, comments and docstrings do not count.
    """

    def _by_type(self) -> list[Any]:
        return [
            (types.FunctionType, self._function),
            (types.CodeType, lambda code: self._code(code, {})),
            (types.MethodType, lambda m: (self.of(m.__func__), self.of(m.__self__))),
            (types.ModuleType, self._module),
            (_CACHED, lambda f: (self.of(f.__wrapped__), self.of(f.cache_parameters()))),
            *super()._by_type(),
        ]

    def _function(self, function: types.FunctionType) -> Iterator[bytes | str]:
        code, names = function.__code__, function.__globals__
        version = foreign_version(names.get("__name__"))
        if version is None:
            self.saw_code(code)
            yield from self._code(code, names)
        else:
            yield f"{names.get('__name__')}.{code.co_qualname} {version}"
            yield from self._unseen(names["__name__"])
        yield from map(self.of, (function.__defaults__, function.__kwdefaults__))
        for cell in function.__closure__ or ():
            yield self.of(cell.cell_contents) if _is_filled(cell) else "empty"
        own = function.__dict__.items() if version is None else ()
        yield self.of(dict(sorted(own)) or getattr(function, "__wrapped__", None))

    def _code(self, code: types.CodeType, names: Mapping[str, Any]) -> Iterator[bytes | str]:
        n_arguments = code.co_argcount + code.co_kwonlyargcount
        counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount)
        yield f"{counts} {code.co_flags & ~_DOCSTRING} {code.co_varnames[:n_arguments]}"
        yield code.co_exceptiontable
        steps = [step for step in dis.get_instructions(code) if step.opname != "EXTENDED_ARG"]
        for i, step in enumerate(steps):
            yield step.opname
            if step.opname in _GLOBAL:
                yield from self._global(step.argval, names, steps, i)
            elif step.opname == "IMPORT_NAME":
                yield from self._imported(step.argval, names, steps, i)
            elif isinstance(step.argval, types.CodeType):
                self.saw_code(step.argval)
                yield from self._code(step.argval, names)
            elif step.opcode in dis.hasconst:
                yield self.of(step.argval)
            elif step.opcode in dis.hasname:
                yield step.argval
                if step.argval in _UNSEEN_NAMES:
                    yield self.blind(f"it asks for {_UNSEEN_NAMES[step.argval]} ({step.argval})")
            elif step.arg is not None:
                yield str(step.arg)

    def _global(
        self, name: str, names: Mapping[str, Any], steps: list[dis.Instruction], place: int
    ) -> Iterator[bytes | str]:
        """What a name of a module stands for; of another module, what is asked of it there."""
        value = names.get(name, _MISSING)
        if value is _MISSING:
            yield name
            if name in _WHOLE and hasattr(builtins, name):
                yield from self._namespace(names)
            return
        if name == "__name__":
            return
        yield from self._reached(value, [step.argval for step in _attributes(steps, place)])

    def _reached(self, value: Any, attributes: list[str]) -> Iterator[bytes | str]:
        for attribute in attributes:
            if not isinstance(value, types.ModuleType) or foreign_version(value.__name__) is not None:
                break
            value = getattr(value, attribute, _MISSING)
        yield self.of(value) if value is not _MISSING else "missing"

    def _imported(
        self, name: str, names: Mapping[str, Any], steps: list[dis.Instruction], place: int
    ) -> Iterator[bytes | str]:
        """What an import inside a function brings in."""
        level, wanted = (step.argval for step in steps[place - 2 : place])
        if level:
            name = importlib.util.resolve_name("." * level + name, names.get("__package__") or "")
        yield from self._unseen(name)
        if (version := foreign_version(name)) is not None:
            yield f"{name} {version}"
            return
        try:
            module = sys.modules.get(name) or importlib.import_module(name)
        except Exception:
            yield self.blind(f"it imports {name!r}, which cannot be imported yet")
            return
        if (version := foreign_version(name)) is not None:
            yield f"{name} {version}"
        elif wanted and "*" not in wanted:
            for attribute in wanted:
                yield from self._reached(module, [attribute])
        else:
            yield self.of(sys.modules[name.partition(".")[0]])
            yield self.of(module)

    def _unseen(self, module: str) -> Iterator[bytes]:
        if (what := _UNSEEN.get(module.partition(".")[0])) is not None or module.startswith("numpy.random"):
            yield self.blind(f"it asks for {what or 'chance'} ({module})")

    def _builtin(self, value: Any) -> Iterator[bytes | str]:
        yield from super()._builtin(value)
        yield from self._unseen(getattr(value, "__module__", None) or "")

    def _module(self, module: types.ModuleType) -> Iterable[bytes | str]:
        name = module.__name__
        if (version := foreign_version(name)) is not None:
            return (f"{name} {version}", *self._unseen(name))
        return self._namespace(vars(module))

    def _namespace(self, names: Mapping[str, Any]) -> Iterator[bytes | str]:
        for name in sorted(names):
            if not (name.startswith("__") and name.endswith("__")):
                yield name
                yield self.of(names[name])


def _attributes(steps: list[dis.Instruction], place: int) -> Iterator[dis.Instruction]:
    """The steps after one that each ask its result for an attribute."""
    for step in steps[place + 1 :]:
        if step.opname not in _ATTRIBUTE:
            return
        yield step


def _is_filled(cell: Any) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return False
    return True
