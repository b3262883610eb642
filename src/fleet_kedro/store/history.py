"""What the tags of a model say: which versions there are, and which one serves.

A tag's message ends in a line of JSON, the record, from which the history can be told
without the model's files. Tags that were made by hand have none and count all the same.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import ValidationError

from fleet_kedro.config import Config
from fleet_kedro.store.canonical import compact
from fleet_kedro.store.card import Sha256
from fleet_kedro.store.errors import StoreError

VerdictWord = Literal["pass", "fail", "none"]
Action = Literal["registration", "promotion", "rollback"]


class Record(Config):
    """What a tag remembers beside its name, commit and moment.

    Attributes
    ----------
    folder
        Where the model lay, relative to the project.
    override
        The reason for which a promotion went ahead in spite of ``objections``.
    """

    action: Action
    digest: Sha256 | None = None
    folder: str | None = None
    verdict: VerdictWord | None = None
    metrics: tuple[str, ...] = ()
    size_bytes: int | None = None
    objections: tuple[str, ...] = ()
    override: str | None = None

    def message(self, title: str) -> str:
        """Write the message of a tag: a title, the reason, the record."""
        told = self.model_dump(mode="json", exclude_defaults=True)
        reason = [] if self.override is None else [f"Overridden: {self.override}"]
        return "\n\n".join([title, *reason, compact(told).decode("ascii")])

    @classmethod
    def read(cls, message: str) -> "Record | None":
        """Return the record of a message; None for a tag that was made by hand."""
        *_, last = message.strip().split("\n")
        try:
            return cls.model_validate_json(last)
        except ValidationError:
            return None


class Version(NamedTuple):
    """A registered version of a model."""

    model: str
    version: str
    commit: str
    created_at: datetime
    author: str
    record: Record | None
    stages: tuple[str, ...]
    """Stages that this version is in now."""


class Assignment(NamedTuple):
    """A version that came into a stage, by promotion or by rollback."""

    version: str
    created_at: datetime
    counter: int
    record: Record | None

    @property
    def is_rollback(self) -> bool:
        """Whether it went back to an earlier version; by hand, none does."""
        return self.record is not None and self.record.action == "rollback"


def version_before(assignments: Iterable[Assignment]) -> str | None:
    """Return what served before the version that serves now; None if nothing did.

    Promotions pile up, a rollback takes off the top: rolling back twice goes back two
    versions, not to and fro.
    """
    pile: list[str] = []
    for assigned in sorted(assignments, key=lambda a: (a.created_at, a.counter)):
        if assigned.is_rollback and assigned.version in pile:
            while pile[-1] != assigned.version:
                pile.pop()
        elif pile[-1:] != [assigned.version]:
            pile.append(assigned.version)
    return pile[-2] if len(pile) > 1 else None


def reason_given(text: str) -> str:
    """Return the reason for an override on one line.

    Raises
    ------
    StoreError
        If there is none.
    """
    reason = " ".join(text.split())
    if not reason:
        raise StoreError("An override needs a reason: it is kept for all to read.")
    return reason
