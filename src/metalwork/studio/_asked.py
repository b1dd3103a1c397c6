"""A request as views read it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request

from metalwork.studio._security import RefusedError, parse_fields

_FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Asked:
    """What was asked for.

    Attributes
    ----------
    here : str
        The first part of the address, such as ``"/rules"``.
    path : mapping of str to str
        The parts of the address that have names.
    query, form : mapping of str to list of str
        The fields of the address and of the body.
    is_part : bool
        Whether a part of a page is wanted, not a page.
    """

    here: str
    path: Mapping[str, str]
    query: Mapping[str, list[str]]
    form: Mapping[str, list[str]]
    is_part: bool = False

    @classmethod
    async def read(cls, request: Request) -> "Asked":
        """Of a request; its body is read."""
        form: Mapping[str, list[str]] = {}
        if request.method == "POST":
            body = await request.body()
            if body and request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
                raise RefusedError(415, f"The body must be a form ({_FORM}).")
            try:
                form = parse_fields(body.decode("ascii"))
            except UnicodeDecodeError:
                raise RefusedError(400, "The body must be a form in ASCII; it is not.") from None
        query = parse_fields(request.url.query)
        here = "/" + request.url.path.split("/")[1]
        return cls(here, dict(request.path_params), query, form, "hx-request" in request.headers)

    def one(self, name: str, default: str = "") -> str:
        """A field, of the body or else of the address."""
        return (self.form.get(name) or self.query.get(name) or [default])[0]

    def all(self, name: str) -> list[str]:
        """All values of a field, but for empty ones."""
        return [value for value in self.form.get(name) or self.query.get(name) or () if value]

    def flag(self, name: str) -> bool:
        """Whether a box is ticked."""
        return self.one(name) not in ("", "0", "false")

    def number(self, name: str, default: int, least: int = 0, most: int = 1 << 40) -> int:
        """A whole number within bounds; ``RefusedError`` where it is none."""
        text = self.one(name, str(default)) or str(default)
        if not text.isascii() or not text.isdigit() or not least <= int(text[:20]) <= most:
            raise RefusedError(400, f"{name} must be a whole number from {least} to {most}; got {text[:40]!r}.")
        return int(text)

    def with_query(self, **changes: object) -> str:
        """The fields of the address with some changed; None takes one away."""
        fields = {name: list(values) for name, values in self.query.items()}
        for name, value in changes.items():
            fields.pop(name, None)
            if value is not None:
                fields[name] = [str(value)]
        return urlencode([(name, value) for name, values in fields.items() for value in values if value])
