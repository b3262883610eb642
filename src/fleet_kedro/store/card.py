"""What is told of a model, wherever it goes: its data, its scores beside their nulls.

A card is part of the tracked bytes of a model, so it holds nothing that changes from
run to run: no time stamp, no git revision, no seconds. Those belong to the tag that
registers the model (`fleet_kedro.store.registry`). After the model cards of Mitchell et
al. 2019, section 4, kept to what can be measured.
"""

import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue, model_validator

from fleet_kedro.config import Config
from fleet_kedro.market.moment import Moment, show
from fleet_kedro.store.canonical import compact, readable
from fleet_kedro.store.measured import MeasuredOrNot

Unit = Literal["number", "percent", "points", "basis points", "dollars"]


def _as_they_are_read(parameters: dict[str, object]) -> dict[str, object]:
    """Refuse what could be written but not read, such as NaN or half a character."""
    compact(parameters)
    readable(parameters)
    return parameters


ModelName = Annotated[
    str, Field(pattern=r"^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$", max_length=100)
]
"""Lower-case letters, digits, - and _: what DVC and GTO take as an artifact's name."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class DataUsed(Config):
    """The rows a model has learnt from.

    Attributes
    ----------
    source
        Which data, in words that no machine's paths get into.
    start, end
        Open times of the first and the last bar, both inclusive.
    sha256
        Of the training arrays (`fleet_kedro.store.fingerprint`), or of tracked inputs.
    """

    source: str = Field(min_length=1)
    start: Moment
    end: Moment
    rows: int = Field(ge=1)
    sha256: Sha256

    @model_validator(mode="after")
    def _window_has_a_length(self) -> "DataUsed":
        if self.end < self.start:
            raise ValueError(
                f"The window ends at {show(self.end)}, before it starts at "
                f"{show(self.start)}: swap them."
            )
        return self


class Metric(Config):
    """A score out of sample, beside what it is without any skill.

    ``value``, ``null`` and the interval's ends share one unit; shares, points and basis
    points are stored as fractions. None stands for what could not be measured.
    """

    name: str = Field(min_length=1)
    value: MeasuredOrNot
    null: MeasuredOrNot
    null_name: str = Field(min_length=1, description="Such as: zero forecast.")
    unit: Unit = "number"
    low: MeasuredOrNot = None
    high: MeasuredOrNot = None


class Criterion(Config):
    """One requirement of a verdict; the fields of the one that validation judges by."""

    name: str = Field(min_length=1)
    value: MeasuredOrNot
    bound: MeasuredOrNot
    unit: Unit
    passed: bool
    detail: str


class CardVerdict(Config):
    """PASS or FAIL, with every criterion; it passes when all of them do."""

    passed: bool
    criteria: tuple[Criterion, ...] = Field(strict=False, min_length=1)

    @model_validator(mode="after")
    def _says_what_its_criteria_say(self) -> "CardVerdict":
        if self.passed != all(criterion.passed for criterion in self.criteria):
            raise ValueError("The verdict must pass if all its criteria do, else fail.")
        return self

    @classmethod
    def of(cls, criteria: Iterable[Mapping[str, object]]) -> "CardVerdict":
        """Take over criteria, each as a mapping with the fields of `Criterion`."""
        taken = tuple(Criterion.model_validate(dict(each)) for each in criteria)
        return cls(passed=all(each.passed for each in taken), criteria=taken)


class CardFile(Config):
    """A file of the model, and how long it is."""

    name: str
    size_bytes: int = Field(ge=0)


class ModelCard(Config):
    """All that is known of a model.

    Attributes
    ----------
    name
        What the registry calls it, such as ``btc-lstm``.
    kind
        What it is, such as ``lstm`` or ``brain``.
    assets
        Which assets it speaks of.
    libraries
        Versions of what trained it; see `library_versions`.
    parameters
        All that tells this model from another one of its kind, as JSON.
    folds
        Scored spans of the walk-forward behind ``metrics``; 0 if never scored.
    trials
        Configurations that were tried before this one was kept; None if not counted.
    fingerprint
        Of all that shaped it; a resumed run takes the model over if its own is equal.
    files
        Filled in when the model is written.
    """

    name: ModelName
    kind: str = Field(min_length=1)
    assets: tuple[str, ...] = Field(strict=False, min_length=1)
    libraries: dict[str, str]
    parameters: Annotated[dict[str, JsonValue], AfterValidator(_as_they_are_read)]
    data: DataUsed
    folds: int = Field(ge=0)
    metrics: tuple[Metric, ...] = Field(strict=False, default=())
    verdict: CardVerdict | None = None
    trials: int | None = Field(default=None, ge=0)
    n_parameters: int = Field(ge=0, description="Numbers that were learnt.")
    fingerprint: Sha256 | None = None
    files: tuple[CardFile, ...] = Field(strict=False, default=())

    @property
    def size_bytes(self) -> int:
        """Length of all files of the model together."""
        return sum(file.size_bytes for file in self.files)

    def naming(self, files: Mapping[str, bytes]) -> "ModelCard":
        """Return the card of these very files."""
        listed = tuple(
            CardFile(name=name, size_bytes=len(files[name])) for name in sorted(files)
        )
        return self.model_copy(update={"files": listed})

    def to_json(self) -> bytes:
        """Write it; equal cards give equal bytes."""
        return readable(self.model_dump(mode="json"))


def library_versions(*distributions: str) -> dict[str, str]:
    """Return the versions of installed libraries, and Python's without its patch."""
    installed = {name: version(name) for name in sorted(distributions)}
    return installed | {"python": f"{sys.version_info.major}.{sys.version_info.minor}"}
