"""What was ever tried: one trial for each configuration that met the same outcomes.

The best of many worthless configurations looks good, so a result can only be judged
beside the number of those that it was chosen from, the discarded ones above all. A
trial says what was scored, on which data, and how it fared; its key depends on the
former two only, so that the same configuration counts once however often it is run.
"""

import hashlib
from collections.abc import Iterable
from typing import Annotated, Literal, get_args

import numpy as np
from jaxtyping import Float
from pydantic import AfterValidator, Field, JsonValue, model_validator
from pydantic_core import from_json

from fleet_kedro.config import Config
from fleet_kedro.market.moment import Moment, show
from fleet_kedro.store.canonical import compact
from fleet_kedro.store.measured import Measured, MeasuredOrNot

Kind = Literal["brain", "ablation", "rival", "threshold", "optuna"]
KINDS: tuple[Kind, ...] = get_args(Kind)


def _survives_json(parameters: dict[str, object]) -> dict[str, object]:
    """Refuse what could be written but not read: NaN, half a character."""
    from_json(compact(parameters))
    return parameters


class TrialResults(Config):
    """How a configuration fared: means over all signals, fractions, after costs.

    What could not be measured is None, and never written down.
    """

    daily_sharpe: Measured = Field(description="Mean over deviation of daily returns.")
    n_days: int = Field(ge=1, description="Days that the Sharpe ratio is taken over.")
    signals: int = Field(ge=0)
    net_return: MeasuredOrNot = Field(default=None, description="Mean per signal.")
    precision: MeasuredOrNot = None
    recall: MeasuredOrNot = None
    base_rate: MeasuredOrNot = None

    @property
    def key(self) -> str:
        """SHA-256 of the results."""
        return _sha256(self.model_dump(mode="json", exclude_none=True))


class Trial(Config):
    """A configuration, the outcomes it was scored on, and its results.

    Attributes
    ----------
    source
        Which data, in words that no machine's paths get into.
    start, end
        Open times of the first and the last bar of the window, both inclusive.
    parameters
        All that tells this configuration from another one of its name, as JSON; the
        length of a list, the type of a number and the spelling of a string matter.
    """

    source: str = Field(min_length=1)
    start: Moment
    end: Moment
    horizon_bars: int = Field(ge=1, description="Horizon H of the label.")
    round_trip_cost: float = Field(ge=0, lt=1)
    kind: Kind
    name: str = Field(min_length=1)
    parameters: Annotated[dict[str, JsonValue], AfterValidator(_survives_json)]
    results: TrialResults

    @model_validator(mode="after")
    def _window_has_a_length(self) -> "Trial":
        if self.end < self.start:
            raise ValueError(
                f"The window ends at {show(self.end)}, before it starts at "
                f"{show(self.start)}: swap them."
            )
        return self

    @property
    def key(self) -> str:
        """SHA-256 of everything but the results."""
        return _sha256(
            self.model_dump(mode="json", exclude={"results"}, exclude_none=True)
        )


def comparable(trials: Iterable[Trial], source: str, horizon_bars: int) -> list[Trial]:
    """Return the trials on one source and horizon, each key once, in order.

    A configuration that was scored several times, with results that differ, keeps its
    first place and its latest results.
    """
    latest = {
        trial.key: trial
        for trial in trials
        if trial.source == source and trial.horizon_bars == horizon_bars
    }
    return list(latest.values())


def n_trials(trials: Iterable[Trial], source: str, horizon_bars: int) -> int:
    """Count the configurations that were tried on one source and horizon."""
    return len(comparable(trials, source, horizon_bars))


def trial_sharpes(
    trials: Iterable[Trial], source: str, horizon_bars: int
) -> Float[np.ndarray, " trials"]:
    """Return the daily Sharpe ratio of each of these configurations."""
    found = comparable(trials, source, horizon_bars)
    return np.array([trial.results.daily_sharpe for trial in found], dtype=np.float64)


def _sha256(value: object) -> str:
    return hashlib.sha256(compact(value)).hexdigest()
