r"""Entry thresholds on expected returns that were tuned, and for what they were tuned.

What is tuned for an asset is one number, a factor on its default threshold:
:math:`\theta = f\,\theta_0`, where :math:`\theta_0` is the one that is stated for it,
or the base times its volatility ratio at the moment. So a tuned threshold still moves
with the volatility, and a factor of 1 is the default.

A factor was found on the expected returns of one source, with one default. It says
nothing about another: `TunedFor` tells them apart.
"""

from typing import Annotated, Literal

import numpy as np
from jaxtyping import Float
from pydantic import Field

from fleet_kedro.config import Config
from fleet_kedro.signals.decision import SignalSettings
from fleet_kedro.signals.entry_threshold import along_assets, entry_thresholds
from fleet_kedro.signals.expectation import ForecastSource

Outcome = Literal["tuned", "no past", "no skill", "too few"]
"""How a factor came about.

``tuned``
    It was found by a study.
``no past``
    No earlier forecast has a known outcome; the default stays.
``no skill``
    Nothing worth a trade was ever expected; the default stays.
``too few``
    No factor that was searched catches enough of what paid; the default stays.
"""
WHY: dict[Outcome, str] = {
    "tuned": "tuned",
    "no past": "default: no earlier forecast has a known outcome",
    "no skill": "default: nothing was expected to be worth a trade",
    "too few": "default: no threshold catches enough of what paid",
}

Finite = Annotated[float, Field(allow_inf_nan=False)]


class TunedFor(Config):
    """The rules that a factor belongs to; see `SignalSettings` for each."""

    forecast: ForecastSource
    horizon_hours: int
    base: Finite
    reference: str
    stated: dict[str, Finite]
    volatility_bars: int
    allows_short: bool

    @classmethod
    def of(cls, settings: SignalSettings) -> "TunedFor":
        """Take what matters to a factor from the rules of signals."""
        return cls(
            forecast=settings.forecast,
            horizon_hours=settings.horizon_hours,
            allows_short=settings.allocation.allows_short,
            **settings.threshold.model_dump(exclude={"strong_multiple", "tuned"}),
        )

    def check(self, settings: SignalSettings) -> None:
        """Refuse rules that the factors were not tuned for.

        Raises
        ------
        ValueError
            Names the first rule that differs.
        """
        wanted = TunedFor.of(settings).model_dump()
        for name, own in self.model_dump().items():
            if wanted[name] != own:
                raise ValueError(
                    f"The thresholds were tuned with {name}={own!r}, but signals are "
                    f"made with {wanted[name]!r}: run the tuning again, or set "
                    "signalling.threshold.tuned to false."
                )


class ReturnThreshold(Config):
    """What was found for one asset; returns are fractions.

    Attributes
    ----------
    factor
        On the default threshold; None where the default stays.
    outcome
        How it came about, see `Outcome`.
    default_threshold
        The default at the last forecast that was tuned on; None without one.
    net_return, default_net_return
        Mean net return of the trades that the tuned and the default threshold enter,
        on the very forecasts that were tuned on, so no promise; None without a trade.
    recall, signals, effective_signals
        Of the tuned threshold on the same forecasts; `fleet_kedro.signals.objective`
        says how they are counted. None where nothing was tuned.
    """

    factor: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None
    outcome: Outcome
    default_threshold: Finite | None = None
    net_return: Finite | None = None
    default_net_return: Finite | None = None
    recall: Finite | None = None
    signals: int | None = None
    effective_signals: Finite | None = None


def tuned_thresholds(
    factor: Float[np.ndarray, "moments assets"],
    volatility_ratio: Float[np.ndarray, "moments assets"],
    assets: tuple[str, ...],
    settings: SignalSettings,
) -> Float[np.ndarray, "moments assets"] | None:
    """Return what `DecisionInputs.tuned_threshold` takes; None if they are not used.

    Parameters
    ----------
    factor
        On the default threshold; NaN where the default stays.
    """
    if not settings.threshold.tuned:
        return None
    return factor * entry_thresholds(volatility_ratio, assets, settings.threshold)


def factors_along(
    thresholds: dict[str, ReturnThreshold], assets: tuple[str, ...]
) -> Float[np.ndarray, " assets"]:
    """Lay factors along the axis of the assets; NaN where the default stays."""
    known = {
        asset: own.factor for asset, own in thresholds.items() if own.factor is not None
    }
    return along_assets(known, assets)
