"""A moment in UTC, however a configuration file or a command line spells it.

YAML yields a ``datetime`` for ``2024-09-10T03:00:00`` but a string for
``2024-09-10T03:00``, and a command line yields strings only. All of them mean the
same thing here: a stamp without an offset is UTC, and a bare date is its midnight.
"""

from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import BeforeValidator


def to_utc(value: object) -> datetime:
    """Read a string, a date or a datetime as an aware ``datetime`` in UTC.

    Raises
    ------
    ValueError
        Shows the value and how a moment is written.
    """
    moment = _parse(value)
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC)


def show(moment: datetime) -> str:
    """Write a moment the way every message of the project does, to the minute."""
    return f"{moment:%Y-%m-%d %H:%M}"


def _parse(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        raise ValueError(
            f"{value!r} is no moment in UTC; write it like 2023-12-31T23:00."
        ) from None


Moment = Annotated[datetime, BeforeValidator(to_utc)]
