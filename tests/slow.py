"""The full-size checks: set METALWORK_SLOW=1 to run them; the everyday suite runs a sample of each."""

import os

SLOW = os.environ.get("METALWORK_SLOW", "") not in ("", "0")


def cases(everyday: int, full: int) -> range:
    """Seeds of the cases to check: ``everyday`` of them, or all ``full`` under METALWORK_SLOW=1."""
    return range(full if SLOW else everyday)
