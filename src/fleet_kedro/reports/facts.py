"""What a reader must know about a run to judge its numbers."""

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from fleet_kedro.labels.forward_return import Label
from fleet_kedro.metrics.bootstrap import BlockBootstrap
from fleet_kedro.splits.walk_forward import WalkForward


class RunFacts(NamedTuple):
    """Where the candles came from, and under which rules they were forecast.

    Attributes
    ----------
    source
        Where the candles come from, in words.
    start, end
        Open times (UTC) of the first and the last candle of the window.
    assets
        The fleet, by canonical name.
    left_out
        For each asset that takes no part, why.
    """

    source: str
    start: pd.Timestamp
    end: pd.Timestamp
    assets: tuple[str, ...]
    left_out: Mapping[str, str]
    label: Label
    walk: WalkForward
    bootstrap: BlockBootstrap
    seed: int
