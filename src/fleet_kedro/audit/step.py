"""What is audited, and what it promises."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from fleet_kedro.audit.world import World

Tabulate = Callable[[World], pd.DataFrame]
"""A world to a frame: ``timestamp``, ``asset``, then numbers; one row per key.

``timestamp`` is the open time of the candle at whose close the row is known. What is
fitted for a fold is keyed by the last candle before the fold's embargo.
"""


# Signals are of the order of one; where a recursive average begins it may be off by a
# few times that.
FADING = 4.0


@dataclass(frozen=True)
class Law:
    """What the numbers of a step depend on; the default is the strictest promise.

    Attributes
    ----------
    reach_bars
        A label reaches exactly that many bars ahead: its last rows are unknown, and
        another future changes these and no others.
    listed_late_bars
        The row of ``t`` appears only once that many bars have passed, but its numbers
        use none of them.
    memory_bars
        Candles further back do not matter; None where the whole past does.
    fade_bars
        For averages that never quite forget: what older candles add, ``FADING`` at
        most, has shrunk to 1/e that many bars beyond the memory, and so on.
    warm_up_tolerance
        Difference that an older first candle may make: all of a segment is kept
        relative to its first candle, which may change a last bit.
    reads
        The columns of a candle that matter; None for all of them.
    own_only
        Other assets' candles do not matter.
    restarts
        What an asset did before a segment border does not matter behind it.
    is_fitted
        Learnt from the rows of the window, so rows before it do not matter.
    """

    reach_bars: int = 0
    listed_late_bars: int = 0
    memory_bars: int | None = None
    fade_bars: float = 0.0
    warm_up_tolerance: float = 0.0
    reads: tuple[str, ...] | None = None
    own_only: bool = False
    restarts: bool = False
    is_fitted: bool = False


@dataclass(frozen=True)
class Step:
    """A named set of columns of a table.

    Attributes
    ----------
    name
        Unique in a register.
    group
        Under which the overview counts it; alone in it, its own name.
    columns
        Regular expression for the names of its columns, matched in full.
    """

    name: str
    group: str
    tabulate: Tabulate
    columns: str
    law: Law
