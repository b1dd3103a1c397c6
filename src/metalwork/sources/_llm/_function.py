"""``mw.llm``: a language model as a labeling function."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from metalwork._checks import check_count, check_positive
from metalwork.sources._llm._arguments import check_names, check_parameters, check_text, make_question
from metalwork.sources._llm._asker import Manner
from metalwork.sources._llm._budget import Limits
from metalwork.sources._llm._dry_run import LanguageModelFunction
from metalwork.sources._llm._endpoint import Endpoint
from metalwork.sources._llm._rule import LanguageModel, Service


def llm(
    task: str | Sequence[str] | None,
    model: str,
    base_url: str | None = None,
    *,
    fields: str | Sequence[str] = "text",
    descriptions: Mapping[str, str] | None = None,
    examples: Sequence[Any] = (),
    template: str | None = None,
    redact: Callable[[str], str] | None = None,
    logprobs: bool = False,
    parameters: Mapping[str, Any] | None = None,
    answer_tokens: int = 256,
    api_key_env: str | None = "OPENAI_API_KEY",
    concurrency: int = 8,
    timeout: float = 60.0,
    retries: int = 5,
    requests_per_minute: float | None = None,
    tokens_per_minute: float | None = None,
    max_calls: int | None = None,
    max_tokens: int | None = None,
    max_cost: float | None = None,
    prices: tuple[float, float] | None = None,
    cache: str | os.PathLike[str] | None = None,
    name: str | None = None,
) -> LanguageModelFunction:
    """A labeling function that asks a language model, at any OpenAI-compatible endpoint.

    Each record is asked about in a call of its own, many at a time. The answer must be one of the labels, or
    "none of these", which abstains; anything else, a refusal too, is a failure on its record. Every answer is kept
    on disk as it arrives and is not asked for again. Needs the extra ``[llm]``.

    Parameters
    ----------
    task : str, sequence of str, or None
        The task that it votes on. Several tasks, or None for all of the tree: one call a record, whose answer is
        the path to the most specific label that fits; it has a column a task, and votes on each task of the path.
    model : str
        As the endpoint calls it.
    base_url : str, optional
        The endpoint's address, which mostly ends with "/v1"; OpenAI's by default.
    fields : str or sequence of str
        The columns that are shown to the model.
    descriptions : dict of str to str, optional
        What labels mean, by label or path.
    examples : sequence of (record, label)
        Records to show with their answer, from dev: a text or a dict by field, and its label, path or None.
    template : str, optional
        A Jinja template of the prompt, in place of ours. It may use ``task``, ``tasks``, ``labels`` (with
        ``name``, ``description`` and ``task``), ``abstain``, ``examples`` (with ``record`` and ``answer``),
        ``record`` (in its delimiters), and fields by name. It runs no code and reads no file.
    redact : callable, optional
        From the text of a field to what may leave; a record on which it fails is not sent.
    logprobs : bool
        Ask for probabilities of tokens, and make soft votes of them where the endpoint has them.
    parameters : dict, optional
        More of the request's body, beside or in place of ``{"temperature": 0, "seed": 0}``; None leaves one out.
    answer_tokens : int
        The most tokens that an answer may have.
    api_key_env : str or None
        Name, in capital letters, of the environment variable that holds the key, read when calls are made. None
        sends no key.
    concurrency : int
        Calls at a time, in each process.
    timeout : float
        Seconds that one attempt may take.
    retries : int
        Further attempts where the endpoint is busy, fails, breaks off or is too slow.
    requests_per_minute, tokens_per_minute : float, optional
        Kept to by all processes on this machine that share ``cache``.
    max_calls, max_tokens, max_cost : optional
        The budget of this labeling function, its copies in worker processes included. Where it does not cover all
        records, the run stops with an error; what was answered is kept. Requests count as they are sent, tokens by
        the most that an answer may have until it is there.
    prices : (float, float), optional
        Of a million tokens of prompts and of answers, for ``max_cost`` and dry runs.
    cache : path, optional
        The file that answers are kept in (no prompts, no keys); one in the user's cache folder by default.
    name : str, optional
        The model's name by default.

    Returns
    -------
    LanguageModelFunction
        A labeling function; its ``dry_run(records, schema)`` counts calls and tokens.

    Raises
    ------
    LabelingError, ConfigError
        For a wrong argument. By ``apply``: before anything is sent where tasks, descriptions or examples do not
        fit the schema or a key is missing; then for a key or model that the endpoint refuses, an endpoint that
        cannot be reached or fails ten times in a row, and a budget that is spent.
    """
    lf_name = check_text("name of an LF", model if name is None else name)
    columns = check_names("fields", fields, lf_name)
    question = make_question(lf_name, columns, task, descriptions, examples, template, redact)
    manner = Manner(
        check_count("concurrency", concurrency),
        float(check_positive("timeout", timeout)),
        check_count("retries", retries, 0),
    )
    counts = {"max_calls": max_calls, "max_tokens": max_tokens}
    rates = {"requests_per_minute": requests_per_minute, "tokens_per_minute": tokens_per_minute}
    service = Service(
        Endpoint.checked(base_url, api_key_env),
        check_text("model", model),
        check_parameters(parameters, lf_name),
        check_count("answer_tokens", answer_tokens),
        bool(logprobs),
        manner,
        Limits.checked(prices, counts, rates | {"max_cost": max_cost}),
        None if cache is None else Path(cache).absolute(),
    )
    own = task if isinstance(task, str) else None
    rule = LanguageModel(lf_name, columns, question, service)
    return LanguageModelFunction(own, lf_name, columns, rule, (str,) * len(columns), cache=False)
