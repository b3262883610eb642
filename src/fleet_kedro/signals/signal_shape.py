"""The portfolio signal as its readers see it: every key, its unit, its range.

Returns, weights and thresholds are fractions (0.0186 is +1.86 %) with six digits after
the point, prices have ten significant digits, moments are UTC. What has no value is
null, never NaN. A change that an old reader would not understand raises the version.
"""

import math
from datetime import UTC
from enum import IntEnum
from typing import Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from fleet_kedro.signals.confidence import Confidence, ConfidenceRule
from fleet_kedro.signals.dominance_regime import Fear, Season
from fleet_kedro.signals.entry_threshold import Direction
from fleet_kedro.signals.expectation import Absence

SCHEMA_VERSION: Final = "1.0"
CASH: Final = "CASH"

_TOLERANCE = 1e-5
_DIGITS_OF_A_PRICE = 10


def _rounded(value: float) -> float:
    # Adding zero turns a negative zero into a plain one.
    return round(value, 6) + 0.0


def _significant(price: float) -> float:
    return float(f"{price:.{_DIGITS_OF_A_PRICE}g}")


Number = Annotated[float, AfterValidator(_rounded)]
Share = Annotated[float, Field(ge=0, le=1), AfterValidator(_rounded)]
Weight = Annotated[float, Field(ge=-1, le=1), AfterValidator(_rounded)]
Price = Annotated[float, Field(gt=0), AfterValidator(_significant)]
Moment = Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))]


class _ByName:
    """Makes pydantic write a member of an enumeration by its name, and read it."""

    def __get_pydantic_core_schema__(
        self, source: type[IntEnum], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        names = core_schema.literal_schema([member.name for member in source])
        from_name = core_schema.chain_schema(
            [
                names,
                core_schema.no_info_plain_validator_function(source.__getitem__),
            ]
        )
        return core_schema.json_or_python_schema(
            json_schema=from_name,
            python_schema=core_schema.union_schema(
                [core_schema.is_instance_schema(source), from_name]
            ),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda member: member.name, return_schema=names
            ),
        )


class _Part(BaseModel):
    """Frozen, strict, and without keys that nobody announced."""

    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", allow_inf_nan=False
    )


class Interval(_Part):
    """Where the return is expected to lie, as fractions."""

    low: Number
    high: Number


class Levels(_Part):
    """Prices at which the market turned, and the trade that follows from them."""

    support: Price | None
    support_touches: int = Field(ge=0)
    resistance: Price | None
    resistance_touches: int = Field(ge=0)
    entry: Price | None = Field(description="The last close; null without a trade.")
    stop_loss: Price | None
    take_profit: Price | None
    reward_risk: Number | None = Field(
        description="Gain at the target over loss at the stop, before costs."
    )


class AssetRegime(_Part):
    """What the dominance regime does to an asset."""

    fear: Annotated[Fear, _ByName()]
    season: Annotated[Season, _ByName()]
    exposure: Share = Field(description="Factor on all that may be invested.")
    tilt: Number = Field(gt=0, description="Factor on the asset's score.")


class Latent(_Part):
    """One of the brain's inputs that stood out, as the brain reads it."""

    name: str
    value: Number


class AssetSignal(_Part):
    """What to do about one asset, and why."""

    signal: Annotated[Direction, _ByName()]
    confidence: Confidence
    expected_return: Number | None = Field(description="Over the horizon.")
    position_size: Share = Field(
        description="Strength of the signal on its own; the allocation decides."
    )
    current_price: Price | None = Field(description="Close of the last candle.")
    target_price: Price | None = Field(description="What the forecast leads to.")
    threshold: Number | None = Field(description="Least expected return for a trade.")
    interval: Interval | None
    strength: Literal["STRONG", "NORMAL", "NONE"]
    rule: Annotated[ConfidenceRule, _ByName()] = Field(
        description="What gave the confidence: size of the forecast, then interval."
    )
    regime: AssetRegime
    levels: Levels | None
    gate_weights: dict[str, Number] = Field(description="By expert of the brain.")
    top_latents: tuple[Latent, ...]
    data_age_hours: Number | None = Field(
        description="Since the close of the last candle; null without one."
    )
    problem: Annotated[Absence, _ByName()] = Field(
        description="What keeps the asset out; NONE where nothing does."
    )
    reason: str = Field(min_length=1, description="The decision in plain words.")

    @model_validator(mode="after")
    def _is_consistent(self) -> "AssetSignal":
        is_hold = self.signal == Direction.HOLD
        if is_hold != (self.strength == "NONE"):
            raise ValueError(f"{self.signal.name} does not go with {self.strength}.")
        if is_hold and self.confidence == Confidence.HIGH:
            raise ValueError("a HOLD is never HIGH.")
        if self.problem != Absence.NONE and not is_hold:
            raise ValueError(f"{self.signal.name} in spite of {self.problem.name}.")
        return self


class PortfolioSignal(_Part):
    """One moment's signals of a fleet, and the portfolio that they make."""

    schema_version: Literal["1.0"]
    timestamp: Moment = Field(description="When the signal was made.")
    horizon_hours: int = Field(ge=1, description="How far forecasts look ahead.")
    individual_signals: dict[str, AssetSignal]
    portfolio_allocation: dict[str, Weight] = Field(
        description="Share of the capital by asset, and CASH; below 0 is short."
    )
    expected_return_12h: Number = Field(
        description="Of the portfolio over horizon_hours, before costs."
    )
    active_positions: int = Field(ge=0)
    notices: tuple[str, ...] = Field(description="What holds for the whole fleet.")

    @model_validator(mode="after")
    def _adds_up(self) -> "PortfolioSignal":
        weights = {k: v for k, v in self.portfolio_allocation.items() if k != CASH}
        if list(weights) != list(self.individual_signals):
            raise ValueError("allocation and signals name different assets.")
        if CASH not in self.portfolio_allocation:
            raise ValueError(f"the allocation lacks {CASH}.")
        at_work = sum(abs(weight) for weight in weights.values())
        total = at_work + self.portfolio_allocation[CASH]
        if not math.isclose(total, 1.0, abs_tol=_TOLERANCE):
            raise ValueError(f"the allocation adds up to {total}, not to 1.")
        active = sum(weight != 0 for weight in weights.values())
        if active != self.active_positions:
            raise ValueError(f"{active} positions, not {self.active_positions}.")
        return self
