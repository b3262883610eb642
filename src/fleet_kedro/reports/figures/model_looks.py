"""How the figures of forecasters tell one model from another."""

from typing import NamedTuple

import pandas as pd

from fleet_kedro.reports.figures.theme import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
)
from fleet_kedro.validation.forecast_telemetry import ENSEMBLE


class Look(NamedTuple):
    """How one model is drawn: no two share both colour and shape."""

    colour: str
    symbol: str
    pattern: str


_ENSEMBLE_LOOK = Look(BLUE, "circle", "")
ZERO_LOOK = Look("#D5DAE1", "circle-open", "")
_LOOKS = tuple(
    map(
        Look,
        (VERMILION, ORANGE, GREEN, PURPLE, SKY, GREY, "#8C6D31"),
        ("square", "diamond", "triangle-up", "x", "cross", "star", "pentagon"),
        ("/", "", ".", "x", "-", "\\", "+"),
    )
)


def looks_of(models: pd.Series) -> dict[str, Look]:
    """Give every model a look of its own, the ensemble first."""
    others = [model for model in models.drop_duplicates() if model != ENSEMBLE]
    own = {model: _LOOKS[n % len(_LOOKS)] for n, model in enumerate(others)}
    return ({ENSEMBLE: _ENSEMBLE_LOOK} if ENSEMBLE in set(models) else {}) | own
