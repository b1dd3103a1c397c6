"""Where a language model is asked, and the key that is read from the environment when it is."""

import ipaddress
import os
import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from metalwork.errors import LabelingError

OPENAI: Final = "https://api.openai.com/v1"
_VARIABLE: Final = re.compile(r"[A-Z_][A-Z0-9_]*")
_HIDDEN: Final = "***"
_LEAST_SECRET: Final = 4


@dataclass(frozen=True)
class Endpoint:
    """An OpenAI-compatible endpoint. It holds the name of the variable with the key, never the key.

    Attributes
    ----------
    url : str
        Without the slash at the end.
    key_variable : str or None
        The environment variable that holds the key; None where none is sent.
    """

    url: str
    key_variable: str | None

    @classmethod
    def checked(cls, base_url: Any, key_variable: Any) -> "Endpoint":
        """The endpoint as a user gives it; ``LabelingError`` for what is none, without repeating a secret."""
        given = OPENAI if base_url is None else base_url
        rule = "base_url must be an address such as 'http://127.0.0.1:8000/v1'"
        if not isinstance(given, str):
            raise LabelingError(f"{rule}; got {given!r}.")
        try:
            parts = urlsplit(given.strip())
            host = parts.hostname
            _ = parts.port
        except ValueError:
            raise LabelingError(f"{rule}; got one that cannot be read. Correct it.") from None
        if parts.scheme not in ("http", "https") or not host:
            raise LabelingError(f"{rule}, which begins with http:// or https://. Correct it.")
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise LabelingError(
                "base_url must hold no user, password or query, since it is shown in messages; got one that does. "
                "Put the key into an environment variable, and pass its name as api_key_env."
            )
        if key_variable is not None and not (isinstance(key_variable, str) and _VARIABLE.fullmatch(key_variable)):
            raise LabelingError(
                "api_key_env must be the name of the environment variable that holds the key, in capital letters, "
                "or None; got something else. Never write the key itself into code."
            )
        return cls(f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/"), key_variable)

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine."""
        host = urlsplit(self.url).hostname or ""
        try:
            return host == "localhost" or ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False

    def key(self) -> str | None:
        """The key, read from the environment now; None where there is none to send.

        Raises
        ------
        LabelingError
            When OpenAI's own endpoint has no key, or a key would go over the network unencrypted.
        """
        value = "" if self.key_variable is None else os.environ.get(self.key_variable, "").strip()
        if not value:
            if self.url == OPENAI:
                raise LabelingError(
                    f"a key must stand in the environment variable {self.key_variable or 'named by api_key_env'}; "
                    "it is not set. Set it, or pass base_url for an endpoint that needs none."
                )
            return None
        if not value.isascii() or not value.isprintable():
            raise LabelingError(
                f"the key in the environment variable {self.key_variable} must be plain ASCII text; it is not. "
                "Set it again."
            )
        if urlsplit(self.url).scheme != "https" and not self.is_here:
            raise LabelingError(
                f"base_url must begin with https:// where a key is sent; got {self.url!r}. "
                f"Use https, or pass api_key_env=None so that {self.key_variable} stays here."
            )
        return value


def scrubbed(text: str, key: str | None) -> str:
    """A text of an endpoint's, in one short line and without the key."""
    if key is not None and len(key) >= _LEAST_SECRET:
        text = text.replace(key, _HIDDEN)
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text[:2000]).split())
    return line if len(line) <= 200 else line[:197] + "..."
