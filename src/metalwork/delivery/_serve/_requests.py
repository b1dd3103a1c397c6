"""A request to predict, read and checked before it costs anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from metalwork._checks import check_fraction
from metalwork.data import Limits, parse_object
from metalwork.errors import ConfigError, DataError
from metalwork.schema import TaskSchema, unknown_name

_KEYS = ("records", "min_confidence", "probabilities", "explain")


@dataclass(frozen=True)
class ServerLimits:
    """What a client may ask for.

    Attributes
    ----------
    max_bytes : int
        Of the body of a request.
    max_records : int
        Records in a request.
    max_explained : int
        Records that a request may have explained, each of which costs as much as many predictions.
    max_waiting : int
        Records of all clients that may wait to be predicted; what comes then is told to try again.
    max_seconds : float
        In which the body of a request must arrive.
    """

    max_bytes: int = 1 << 20
    max_records: int = 1000
    max_explained: int = 10
    max_waiting: int = 20_000
    max_seconds: float = 30.0


@dataclass(frozen=True)
class Asked:
    """What a client asks: records, and what it wants to know of them."""

    records: list[dict[str, Any]]
    min_confidence: float | None
    probabilities: bool
    explain: bool


def read_request(body: bytes, columns: tuple[str, ...] | None, limits: ServerLimits) -> Asked:
    """The request that a body holds.

    Raises
    ------
    DataError
        When it is no JSON object of the keys that there are, or holds a record without a column that is read.
    ConfigError
        For a value out of its range.
    """
    try:
        given = parse_object(body.decode("utf-8"), Limits())
    except (ValueError, UnicodeDecodeError) as error:
        raise DataError(f"The body must be a JSON object in UTF-8; it is not: {error}.") from None
    for key in given:
        if key not in _KEYS:
            raise DataError(unknown_name("key of a request", key, _KEYS))
    records = _records(given.get("records"), columns, limits)
    least = given.get("min_confidence")
    asked = Asked(
        records,
        None if least is None else float(check_fraction("min_confidence", least)),
        _truth("probabilities", given.get("probabilities", True)),
        _truth("explain", given.get("explain", False)),
    )
    if asked.explain and len(records) > limits.max_explained:
        raise ConfigError(
            f"A request may have at most {limits.max_explained} records explained; got {len(records)}. Send fewer."
        )
    return asked


def _records(given: Any, columns: tuple[str, ...] | None, limits: ServerLimits) -> list[dict[str, Any]]:
    if not isinstance(given, list) or not given:
        got = "none" if given is None else f"{type(given).__name__}" if not isinstance(given, list) else "[]"
        raise DataError(f'records must be a list of at least one object, such as [{{"text": "..."}}]; got {got}.')
    if len(given) > limits.max_records:
        raise DataError(
            f"A request may have at most {limits.max_records:,} records; got {len(given):,}. Send more requests."
        )
    for row, record in enumerate(given):
        if not isinstance(record, Mapping):
            raise DataError(f"records must be objects; got {type(record).__name__} at row {row}.")
        for name in columns or ():
            if name not in record:
                has = ", ".join(map(repr, list(record)[:10])) or "none"
                raise DataError(f"Each record must have {name!r}, which the model reads; row {row} has {has}.")
    return given


def _truth(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{name} must be true or false; got {value!r}.")
    return value


def request_schema(columns: tuple[str, ...] | None, limits: ServerLimits) -> dict[str, Any]:
    """The JSON schema of a request."""
    record: dict[str, Any] = {"type": "object", "additionalProperties": True}
    if columns:
        record |= {"properties": {name: {} for name in columns}, "required": list(columns)}
    return {
        "type": "object",
        "required": ["records"],
        "additionalProperties": False,
        "properties": {
            "records": {"type": "array", "items": record, "minItems": 1, "maxItems": limits.max_records},
            "min_confidence": {"type": "number", "minimum": 0, "maximum": 1},
            "probabilities": {"type": "boolean", "default": True},
            "explain": {"type": "boolean", "default": False},
        },
    }


def answer_schema(schema: TaskSchema) -> dict[str, Any]:
    """The JSON schema of an answer: the labels that there are."""
    share = {"type": "number", "minimum": 0, "maximum": 1}
    labels = {task: {"enum": [*schema.labels(task), None]} for task in schema.tasks}
    prediction = {
        "type": "object",
        "properties": {
            "end_label": {"enum": [*schema.end_labels, None]},
            "confidence": share,
            "labels": {"type": "object", "properties": labels},
            "probabilities": {"type": "object", "properties": dict.fromkeys(schema.end_labels, share)},
            "because": {"type": "array", "items": {"type": "object"}},
            "votes": {"type": "array", "items": {"type": "object"}},
        },
        "required": ["end_label", "confidence", "labels"],
    }
    return {
        "type": "object",
        "properties": {"predictions": {"type": "array", "items": prediction}},
        "required": ["predictions"],
    }
