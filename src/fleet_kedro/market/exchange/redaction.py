"""Keeps keys out of everything that is said or written."""

import logging
import re
from collections.abc import Iterable

HIDDEN = "***"

# Values of these are hidden wherever a text has them, whether or not they are ours.
_PARAMETER = re.compile(
    r"(?i)\b(signature|api[-_]?key|x-mbx-apikey|access[-_]?(?:key|sign|passphrase)|"
    r"secret|password|token)(['\"]?\s*[=:]\s*['\"]?)[^\s&'\",;}]+"
)
_USER_INFO = re.compile(r"(?<=://)[^/\s@]+@")


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Replace secrets, signatures, keys and the user part of addresses by stars."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    text = _USER_INFO.sub(f"{HIDDEN}@", text)
    return _PARAMETER.sub(rf"\1\2{HIDDEN}", text)


class Redacting(logging.Filter):
    """Rewrites each record of a logger before anybody sees it."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        self._secrets = tuple(secrets)

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, redacted."""
        record.msg, record.args = redact(record.getMessage(), self._secrets), None
        return True
