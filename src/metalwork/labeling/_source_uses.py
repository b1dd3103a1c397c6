"""What the source of a function does with its arguments: takes them for numbers, truth values, dates or text."""

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any, Final

_CONVERTS: Final = frozenset({"float", "int", "complex", "Decimal", "Fraction", "isinstance", "type", "eval"})
_GIVES_NUMBER: Final = frozenset({"len", "abs", "sum", "round", "range", "float", "int", "Decimal", "Fraction"})
_COLLECTS: Final = frozenset({"set", "frozenset", "list", "tuple", "dict", "sorted"})
_KEEPS_TEXT: Final = frozenset({"strip", "lstrip", "rstrip", "lower", "upper", "casefold"})
_MATCHES: Final = frozenset({"search", "match", "fullmatch", "findall", "finditer", "sub", "split"})
_GIVES_DATE: Final = frozenset({"date", "datetime", "today", "now", "fromisoformat", "strptime", "Timestamp"})
_EQUAL: Final = (ast.Eq, ast.NotEq, ast.In, ast.NotIn, ast.Is, ast.IsNot)
_ORDER: Final = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_SAMPLE: Final = 1000  # items of a collection that tell what it holds


@dataclass(frozen=True)
class Use:
    """How an argument is used.

    Attributes
    ----------
    as_number, as_truth, as_date : bool
        Compared with numbers or looked up among them; compared with True or False, or a condition as it stands;
        compared with dates.
    like_text, like_numeral : bool
        Compared with text alone; with text that is written as a number or truth value.
    as_rank : bool
        Ordered beside another argument, or beside text that is written as a number.
    as_text : bool
        Used in a way that fits text, or made a number by the function itself.
    """

    as_number: bool = False
    as_truth: bool = False
    as_date: bool = False
    like_text: bool = False
    like_numeral: bool = False
    as_rank: bool = False
    as_text: bool = False


def uses_of(function: Callable[..., Any], arguments: Sequence[str], *, in_lists: bool = False) -> dict[str, Use]:
    """How each argument is used, by name; nothing where the function has no source that can be read.

    With ``in_lists`` the arguments are lists, and their values are meant.
    """
    plain = _plain_function(function)
    node = None if plain is None else _definition(plain)
    if plain is None or node is None:
        return {}
    return _Body(node, arguments, _known_values(plain), in_lists).uses()


def _plain_function(function: Any) -> Any:
    """The function that holds the code: inside a partial, a bound method or a callable object."""
    while isinstance(function, functools.partial):
        function = function.func
    if not inspect.isroutine(function) and not inspect.isclass(function):
        function = inspect.getattr_static(type(function), "__call__", None)
    function = inspect.unwrap(getattr(function, "__func__", function))
    return function if inspect.isfunction(function) else None


def _definition(function: Any) -> ast.FunctionDef | ast.Lambda | None:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError, ValueError, IndentationError):
        return None
    code = function.__code__
    names = list(code.co_varnames[: code.co_argcount])
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.Lambda)
        and [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)] == names
        and getattr(node, "name", "<lambda>") == code.co_name
    ]
    return found[0] if len(found) == 1 else None  # several lambdas in a line cannot be told apart


def _known_values(function: Any) -> Mapping[str, Any]:
    """Values of the names that the function takes from around it."""
    try:
        around = inspect.getclosurevars(function)
    except (TypeError, ValueError):
        return {}
    return {**around.globals, **around.nonlocals}


def _kind(value: Any) -> type | None:
    """float, bool, str or date, for a value of that kind or a collection of such; else None."""
    if isinstance(value, bool):
        return bool
    if isinstance(value, int | float):
        return float
    if isinstance(value, str):
        return str
    if isinstance(value, date):
        return date
    if isinstance(value, set | frozenset | tuple | list | range | Mapping):
        return _common(_kind(item) for item in islice(value, _SAMPLE))
    return None


def _common(kinds: Iterable[type | None]) -> type | None:
    found = set(kinds)
    return found.pop() if len(found) == 1 else None


class _Body:
    """The body of a function, read with an eye to its arguments."""

    def __init__(self, node: Any, arguments: Sequence[str], known: Mapping[str, Any], in_lists: bool) -> None:
        self._root, self._known = node, known
        self._given = dict.fromkeys(arguments, in_lists)  # whether it is a list of values
        self._parents = {child: above for above in ast.walk(node) for child in ast.iter_child_nodes(above)}
        self._bound: dict[str, list[tuple[ast.expr | None, bool]]] = {}
        for name, value, is_each in self._bindings():
            self._bound.setdefault(name, []).append((value, is_each))

    def uses(self) -> dict[str, Use]:
        loads: dict[str, list[ast.expr]] = {name: [] for name in self._given}
        for node in ast.walk(self._root):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                owner = self._argument(node)
                if owner is not None:
                    loads[owner].append(node)
        return {name: self._use_of(name, nodes) for name, nodes in loads.items()}

    def _use_of(self, name: str, loads: Sequence[ast.expr]) -> Use:
        if not self._given[name] and not self._is_kept(name):
            return Use(as_text=True)  # the function puts something else in its place
        if any(self._is_converted(node) for node in loads):
            return Use(as_text=True)
        kinds = [kind for node in loads for kind in self._compared_with(self._outermost(node))]
        bare = [self._is_condition(node) for node in loads]
        return Use(
            as_number=float in kinds and "numeral" not in kinds,
            as_truth=bool in kinds or (bool(bare) and all(bare)),
            as_date=date in kinds,
            like_text=str in kinds and date not in kinds,
            like_numeral="numeral" in kinds and not {float, bool} & set(kinds),
            as_rank=any(self._is_ordered(self._outermost(node)) for node in loads),
            as_text=str in kinds or "numeral" in kinds or any(self._is_text(node) for node in loads),
        )

    def _argument(self, node: ast.expr, seen: frozenset[str] = frozenset()) -> str | None:
        """The argument whose value, blanks and letter case aside, an expression has."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _KEEPS_TEXT:
            return self._argument(node.func.value, seen)
        if not isinstance(node, ast.Name) or node.id in seen:
            return None
        if node.id in self._given and not self._given[node.id]:
            return node.id
        owners = set()
        for value, is_each in self._bound.get(node.id, ()):
            if is_each:
                listed = isinstance(value, ast.Name) and self._given.get(value.id, False)
                owners.add(value.id if listed and isinstance(value, ast.Name) else None)
            else:
                owners.add(None if value is None else self._argument(value, seen | {node.id}))
        return owners.pop() if len(owners) == 1 else None

    def _is_kept(self, name: str) -> bool:
        """Whether whatever else is bound to the argument's name has its value."""
        bound = self._bound.get(name, ())
        return all(v is not None and not each and self._argument(v) == name for v, each in bound)

    def _bindings(self) -> Iterator[tuple[str, ast.expr | None, bool]]:
        """Names that are bound, each with what to, and whether to the items of that."""
        for node in ast.walk(self._root):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    yield from _names_in(target, node.value)
            elif isinstance(node, ast.AnnAssign | ast.NamedExpr):
                yield from _names_in(node.target, node.value)
            elif isinstance(node, ast.AugAssign):
                yield from _names_in(node.target, None)
            elif isinstance(node, ast.For | ast.comprehension):
                yield from _names_in_items(node.target, node.iter)
            elif isinstance(node, ast.MatchAs | ast.MatchStar) and node.name is not None:
                yield node.name, None, False
            elif isinstance(node, ast.FunctionDef | ast.Lambda) and node is not self._root:
                yield from ((argument.arg, None, False) for argument in node.args.args)

    def _outermost(self, node: ast.expr) -> ast.expr:
        """The whole of ``amount.strip()`` around ``amount``."""
        above = self._parents.get(node)
        call = self._parents.get(above) if isinstance(above, ast.Attribute) else None
        if isinstance(call, ast.Call) and self._argument(call) is not None:
            return self._outermost(call)
        return node

    def _compared_with(self, node: ast.expr) -> Iterator[Any]:
        """The kinds of what a value is compared with; "numeral" for text that reads as number or truth value."""
        above = self._parents.get(node)
        if isinstance(above, ast.Compare):
            sides = [above.left, *above.comparators]
            for left, operator, right in zip(sides, above.ops, sides[1:], strict=False):
                if isinstance(operator, _EQUAL) and node in (left, right):
                    other = right if node is left else left
                    yield self._kind_of(other)
                    if self._has_numeral(other):
                        yield "numeral"
        elif isinstance(above, ast.Match) and above.subject is node:
            for pattern in (part for case in above.cases for part in ast.walk(case.pattern)):
                if isinstance(pattern, ast.MatchValue):
                    yield self._kind_of(pattern.value)
                elif isinstance(pattern, ast.MatchSingleton) and pattern.value is not None:
                    yield bool
        elif isinstance(above, ast.Call) and above.args[:1] == [node] and isinstance(above.func, ast.Attribute):
            yield self._kind_of(above.func.value) if above.func.attr == "get" else None
        elif isinstance(above, ast.Subscript) and above.slice is node:
            yield self._kind_of(above.value)

    def _is_ordered(self, node: ast.expr) -> bool:
        """Whether a value is compared by order with another argument's, or with text that reads as a number."""
        above = self._parents.get(node)
        if isinstance(above, ast.Compare):
            ordered = any(isinstance(operator, _ORDER) for operator in above.ops)
            others = [side for side in (above.left, *above.comparators) if side is not node]
        elif isinstance(above, ast.Call) and isinstance(above.func, ast.Name) and node in above.args:
            ordered, others = above.func.id in ("max", "min"), [side for side in above.args if side is not node]
        else:
            return False
        return ordered and any(self._argument(side) is not None or self._has_numeral(side) for side in others)

    def _kind_of(self, node: ast.expr | None) -> type | None:
        """float, bool, str or date where an expression surely is of that kind, or a collection of such."""
        if isinstance(node, ast.Constant):
            return _kind(node.value)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            return self._kind_of(node.operand)
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            return _common(map(self._kind_of, node.elts))
        if isinstance(node, ast.Dict):
            return _common(map(self._kind_of, node.keys))
        if isinstance(node, ast.BinOp):
            return _common([self._kind_of(node.left), self._kind_of(node.right)])
        if isinstance(node, ast.Call):
            called = getattr(node.func, "id", getattr(node.func, "attr", None))
            if called in _COLLECTS and len(node.args) == 1:
                return self._kind_of(node.args[0])
            return float if called in _GIVES_NUMBER else date if called in _GIVES_DATE else None
        return self._kind_of_name(node.id) if isinstance(node, ast.Name) else None

    def _kind_of_name(self, name: str) -> type | None:
        bound = self._bound.get(name, [])
        if name in self._given or len(bound) > 1:
            return None
        if not bound:
            return _kind(self._known.get(name))
        value = bound[0][0]
        within = [] if value is None else [part.id for part in ast.walk(value) if isinstance(part, ast.Name)]
        return None if name in within else self._kind_of(value)

    def _has_numeral(self, node: ast.expr) -> bool:
        parts = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
        parts += [] if not isinstance(node, ast.Name) else _items(self._known.get(node.id))
        texts = [part.strip().lower() for part in parts if isinstance(part, str)]
        return any(text.replace(".", "", 1).isdigit() or text in ("true", "false") for text in texts)

    def _is_converted(self, node: ast.expr) -> bool:
        """Whether the value is made a number, or asked for its type."""
        above = self._around(self._outermost(node))
        called = above.func if isinstance(above, ast.Call) else None
        name = getattr(called, "id", getattr(called, "attr", None))
        return isinstance(above, ast.Call) and name in _CONVERTS

    def _around(self, node: ast.expr) -> ast.AST | None:
        """What takes a value, also where another stands in for a missing one: ``amount or 0``."""
        above = self._parents.get(node)
        while isinstance(above, ast.BoolOp | ast.IfExp):
            above = self._parents.get(above)
        return above

    def _is_text(self, node: ast.expr) -> bool:
        """Whether a method of text is called, or a pattern matched on it."""
        above = self._parents.get(node)
        if isinstance(above, ast.Attribute):
            return True
        if isinstance(above, ast.Subscript):
            return above.value is node
        around = self._around(node)
        called = around.func if isinstance(around, ast.Call) else None
        return isinstance(called, ast.Attribute) and called.attr in _MATCHES

    def _is_condition(self, node: ast.expr) -> bool:
        above = self._parents.get(node)
        if isinstance(above, ast.If | ast.While | ast.IfExp | ast.Assert):
            return above.test is node
        if isinstance(above, ast.UnaryOp):
            return isinstance(above.op, ast.Not)
        if isinstance(above, ast.BoolOp):
            is_last = above.values[-1] is node or isinstance(above.op, ast.Or)  # the whole's value, maybe
            return not is_last or self._is_condition(above)
        if isinstance(above, ast.comprehension):
            return node in above.ifs
        if isinstance(above, ast.match_case):
            return above.guard is node
        return isinstance(above, ast.Call) and isinstance(above.func, ast.Name) and above.func.id == "bool"


def _names_in(target: ast.expr, value: ast.expr | None) -> Iterator[tuple[str, ast.expr | None, bool]]:
    if isinstance(target, ast.Name):
        yield target.id, value, False
    else:
        yield from ((part.id, None, False) for part in ast.walk(target) if isinstance(part, ast.Name))


def _names_in_items(target: ast.expr, items: ast.expr) -> Iterator[tuple[str, ast.expr | None, bool]]:
    """Names of a loop, each with the list that its values are of."""
    called = items.func.id if isinstance(items, ast.Call) and isinstance(items.func, ast.Name) else ""
    if isinstance(target, ast.Name):
        yield target.id, items, True
    elif isinstance(items, ast.Call) and isinstance(target, ast.Tuple) and called in ("zip", "enumerate"):
        lists = [None, *items.args] if called == "enumerate" else list(items.args)
        for part, value in zip(target.elts, lists, strict=False):
            if isinstance(part, ast.Name):
                yield part.id, value, True
            else:
                yield from _names_in(part, None)
    else:
        yield from _names_in(target, None)


def _items(value: Any) -> list[Any]:
    is_many = isinstance(value, Collection) and not isinstance(value, str)
    return list(islice(value, _SAMPLE)) if is_many else [value]
