"""What may be spent on a language model, how fast, and what it costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from metalwork._checks import check_count, check_not_negative, check_pair, check_positive
from metalwork.errors import LabelingError
from metalwork.sources._llm._store import Account, Store

_MILLION: Final = 1_000_000
_MINUTE: Final = 60.0


@dataclass(frozen=True)
class Limits:
    """Limits on calls, tokens and money, and on calls and tokens a minute; None is no limit.

    Attributes
    ----------
    prices : (float, float) or None
        Of a million tokens of prompts, and of answers.
    max_calls, max_tokens : int or None
    max_cost : float or None
        In the currency of ``prices``.
    requests_per_minute, tokens_per_minute : float or None
    """

    prices: tuple[float, float] | None = None
    max_calls: int | None = None
    max_tokens: int | None = None
    max_cost: float | None = None
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None

    @classmethod
    def checked(cls, prices: Any, counts: dict[str, Any], amounts: dict[str, Any]) -> "Limits":
        """Limits as a user gives them; ``ConfigError`` for a wrong value."""
        given: dict[str, Any] = {n: check_count(n, value) for n, value in counts.items() if value is not None}
        given |= {n: float(check_positive(n, value)) for n, value in amounts.items() if value is not None}
        if prices is not None:
            pair = check_pair("prices", prices, "(of a million tokens of prompts, of answers)")
            given["prices"] = tuple(float(check_not_negative("prices", price)) for price in pair)
        if "max_cost" in given and prices is None:
            raise LabelingError(
                "prices must be given with max_cost: of a million tokens of prompts, and of answers. "
                "Pass e.g. prices=(0.5, 1.5)."
            )
        return cls(**given)

    def cost(self, prompt: int, answer: int) -> float | None:
        """What so many tokens cost; None where prices are not known."""
        if self.prices is None:
            return None
        return (prompt * self.prices[0] + answer * self.prices[1]) / _MILLION

    def exceeded(self, account: Account) -> str | None:
        """The limit that an account is beyond, as it was written."""
        spent: Sequence[tuple[str, float | None, float | None]] = (
            ("max_calls", account.calls, self.max_calls),
            ("max_tokens", account.prompt + account.answer, self.max_tokens),
            ("max_cost", self.cost(account.prompt, account.answer), self.max_cost),
        )
        for name, value, limit in spent:
            if value is not None and limit is not None and value > limit:
                return f"{name}={limit:g}"
        return None


class Purse:
    """Pays for the calls of one labeling function, out of an account that all its processes share.

    Parameters
    ----------
    limits : Limits
    store : Store
    account, endpoint, lf : str
        Whose limits of budget and of pace count; the name for errors.
    """

    def __init__(self, limits: Limits, store: Store, account: str, endpoint: str, lf: str) -> None:
        self._limits, self._store, self._account = limits, store, account
        self._endpoint, self._lf = endpoint, lf

    def reserve(self, prompt: int, answer: int) -> float:
        """Pay for a call before it is made, ``answer`` being the most it can take; seconds to wait for its turn.

        Raises
        ------
        LabelingError
            When a limit does not allow it.
        """
        with self._store.account(self._account) as account:
            account.calls, account.prompt = account.calls + 1, account.prompt + prompt
            account.answer += answer
            limit = self._limits.exceeded(account)
            if limit is not None:
                raise LabelingError(
                    f"the budget of LF {self._lf!r} must cover all records; {limit} is reached after "
                    f"{account.calls - 1:,} calls. Raise it, or give fewer records; what was answered is kept in "
                    f"{self._store.path} and is not paid for again."
                )
        limits = self._limits
        if limits.requests_per_minute is None and limits.tokens_per_minute is None:
            return self._store.turn(self._endpoint, 0.0, 0.0)
        request = 0.0 if limits.requests_per_minute is None else _MINUTE / limits.requests_per_minute
        tokens = (
            0.0 if limits.tokens_per_minute is None else _MINUTE * (prompt + answer) / limits.tokens_per_minute
        )
        return self._store.turn(self._endpoint, request, tokens)

    def settle(self, reserved: tuple[int, int], used: tuple[int, int], calls: int = 1) -> None:
        """Correct what was reserved by what was used; ``calls`` is 0 where the call was never made."""
        with self._store.account(self._account) as account:
            account.calls += calls - 1
            account.prompt += used[0] - reserved[0]
            account.answer += used[1] - reserved[1]

    def hold(self, seconds: float) -> None:
        """Let no process begin a call for so many seconds."""
        self._store.hold(self._endpoint, seconds)
