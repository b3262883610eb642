"""What production needs beside the brain: what a probability is worth, and when to act.

::

    curves.json       expected return of a probability, fleet and assets
    thresholds.json   factors on the default entry thresholds, asset by asset

Both name the walk that they were learnt from. Both are plain numbers, so nothing that
is read can run code.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeVar

import numpy as np
from jaxtyping import Float
from pydantic import ValidationError

from fleet_kedro.config import Config
from fleet_kedro.signals.calibrated_return import CalibratedReturn
from fleet_kedro.signals.decision import SignalSettings
from fleet_kedro.signals.return_thresholds import (
    ReturnThreshold,
    TunedFor,
    factors_along,
    tuned_thresholds,
)
from fleet_kedro.store.canonical import readable
from fleet_kedro.store.card import ModelCard, Sha256

NAME = "decision-rules"
CURVES = "curves.json"
THRESHOLDS = "thresholds.json"
FORECASTS = "forecasts"

_File = TypeVar("_File", bound=Config)


class Curves(Config):
    """Expected returns, as ``curves.json`` holds them.

    Attributes
    ----------
    forecasts
        Which walk they were learnt from, see `walk_digest`.
    level
        Coverage of their intervals.
    """

    format: Literal["fleet_kedro.signals.Curves/1"] = "fleet_kedro.signals.Curves/1"
    forecasts: Sha256
    horizon_hours: int
    level: float
    curves: CalibratedReturn


class Thresholds(Config):
    """Tuned thresholds, as ``thresholds.json`` holds them."""

    format: Literal["fleet_kedro.signals.ReturnThresholds/1"] = (
        "fleet_kedro.signals.ReturnThresholds/1"
    )
    forecasts: Sha256
    tuned_for: TunedFor
    assets: dict[str, ReturnThreshold]


class DecisionRules(NamedTuple):
    """Curves and thresholds of one walk."""

    curves: Curves
    thresholds: Thresholds

    def check_brain(self, brain: ModelCard) -> None:
        """Refuse a brain whose judges learnt from another walk than these rules.

        Raises
        ------
        ValueError
            If the brain's card names another walk, or none.
        """
        told = brain.parameters.get(FORECASTS)
        if told != self.curves.forecasts:
            walk = "no walk" if told is None else f"the walk {str(told)[:8]}"
            raise ValueError(
                f"{brain.name} names {walk}, the decision rules were learnt from "
                f"{self.curves.forecasts[:8]}: run the tuning on the walk that the "
                "brain was trained after, or promote the two that belong together."
            )

    def check_horizon(self, settings: SignalSettings) -> None:
        """Refuse signals over another horizon than that of the curves.

        Raises
        ------
        ValueError
            If they differ.
        """
        if settings.horizon_hours != self.curves.horizon_hours:
            raise ValueError(
                f"The curves speak of {self.curves.horizon_hours} h, signals of "
                f"{settings.horizon_hours} h: give both the same horizon, and run the "
                "tuning again."
            )

    def tuned_thresholds(
        self,
        volatility_ratio: Float[np.ndarray, "moments assets"],
        assets: tuple[str, ...],
        settings: SignalSettings,
    ) -> Float[np.ndarray, "moments assets"] | None:
        """Return what `DecisionInputs.tuned_threshold` takes.

        None if the settings do not ask for tuned thresholds; NaN for an asset whose
        default stays.

        Raises
        ------
        ValueError
            If they ask for them by rules that these were not tuned for.
        """
        if settings.threshold.tuned:
            self.thresholds.tuned_for.check(settings)
        factor = factors_along(self.thresholds.assets, assets)
        everywhere = np.broadcast_to(factor, volatility_ratio.shape)
        return tuned_thresholds(everywhere, volatility_ratio, assets, settings)


def rules_to_files(rules: DecisionRules) -> dict[str, bytes]:
    """Return rules by file name; equal rules give equal bytes."""
    return {
        CURVES: readable(rules.curves.model_dump(mode="json")),
        THRESHOLDS: readable(rules.thresholds.model_dump(mode="json")),
    }


def rules_from_files(files: Mapping[str, bytes]) -> DecisionRules:
    """Read rules.

    Raises
    ------
    ValueError
        If a file is missing, foreign or damaged, or the two are of different walks.
    """
    if sorted(files) != sorted([CURVES, THRESHOLDS]):
        raise ValueError(
            f"Decision rules are {CURVES} and {THRESHOLDS}, not "
            f"{', '.join(sorted(files)) or 'nothing'}."
        )
    rules = DecisionRules(
        _parsed(CURVES, Curves, files), _parsed(THRESHOLDS, Thresholds, files)
    )
    if rules.curves.forecasts != rules.thresholds.forecasts:
        raise ValueError(
            f"{CURVES} and {THRESHOLDS} are of different walks: take the files of one "
            "tuning."
        )
    return rules


def _parsed(name: str, kind: type[_File], files: Mapping[str, bytes]) -> _File:
    try:
        return kind.model_validate_json(files[name])
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        raise ValueError(f"{name}, {place}: {first['msg']}.") from error
