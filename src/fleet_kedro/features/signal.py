"""What a signal is, and how one formula becomes a signal for every window.

A formula is a plain function of bars (and of a window), decorated with what the
catalogue tells about it. It gives a scale-free number for which 1 is ordinary. Where
nothing bounds that number, the signal passes it through asinh: it is the identity for
ordinary values and a logarithm for the outliers, it needs no statistics of the past,
and so it is the same in every fold.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from fleet_kedro.features.bars import Bars
from fleet_kedro.features.rolling import Series
from fleet_kedro.features.timeframes import closed_bars, on_base_bars

TIMEFRAMES = {1: "", 4: "_4h", 24: "_1d"}


@dataclass(frozen=True)
class Signal:
    """One column of the catalogue.

    Attributes
    ----------
    name
        Unique; formula, window and timeframe, such as ``rsi_13_4h``.
    family
        The file of ``features/families`` that holds its formula.
    window_bars
        Hourly bars of the window; None for a formula without one.
    formula, unit, source
        In words and symbols; the source is a paper, a book or "definition".
    warmup_bars
        Rows of a segment before the first finite value, for a segment that starts at
        midnight UTC; a later start delays a 4 h or 1 d signal to its next whole bar.
    bounded
        The formula bounds itself; the others pass through asinh.
    is_flag
        A 0/1 mark, which nobody may scale.
    compute
        Bars of one segment to one value a bar; row ``t`` uses bars up to ``t``.
    """

    name: str
    family: str
    window_bars: int | None
    formula: str
    unit: str
    source: str
    warmup_bars: int
    bounded: bool
    is_flag: bool
    compute: Callable[[Bars], Series]


@dataclass(frozen=True)
class Formula:
    """A function of bars and window, with what the catalogue tells about it.

    ``warmup`` gives the rows before the first finite value for a window, in bars of
    the timeframe; formulas without a window are asked with 1.
    """

    function: Callable[..., Series]
    family: str
    text: str
    unit: str
    source: str
    warmup: Callable[[int], int]
    bounded: bool
    is_flag: bool

    @property
    def name(self) -> str:
        """The name of the function."""
        return self.function.__name__

    def __call__(self, bars: Bars, *window: int) -> Series:
        """Return the formula's value before any bound, without a timeframe."""
        return self.function(bars, *window)

    def signal(self, window: int | None = None, hours: int = 1) -> Signal:
        """Return the signal of one window on one timeframe (``hours`` a bar)."""
        suffix = "" if window is None else f"_{window}"
        rows = self.warmup(1 if window is None else window)
        return Signal(
            name=f"{self.name}{suffix}{TIMEFRAMES[hours]}",
            family=self.family,
            window_bars=None if window is None else window * hours,
            formula=self.text if self.bounded else f"asinh({self.text})",
            unit=self.unit,
            source=self.source,
            # The value of closed bar k stands in the row that closes it.
            warmup_bars=hours * (rows + 1) - 1,
            bounded=self.bounded,
            is_flag=self.is_flag,
            compute=partial(_compute, self, window, hours),
        )


def formula(  # noqa: PLR0913 - the columns of the catalogue
    *,
    family: str,
    text: str,
    unit: str,
    warmup: Callable[[int], int],
    source: str = "definition",
    bounded: bool = False,
    is_flag: bool = False,
) -> Callable[[Callable[..., Series]], Formula]:
    """Declare a function as a formula of the catalogue."""

    def declare(function: Callable[..., Series]) -> Formula:
        return Formula(
            function=function,
            family=family,
            text=text,
            unit=unit,
            source=source,
            warmup=warmup,
            bounded=bounded or is_flag,
            is_flag=is_flag,
        )

    return declare


def _compute(formula: Formula, window: int | None, hours: int, bars: Bars) -> Series:
    """Evaluate on closed bars of ``hours``, bound, and bring back to hourly rows."""
    coarse = bars if hours == 1 else closed_bars(bars, hours)
    value = formula(coarse) if window is None else formula(coarse, window)
    bounded = value if formula.bounded else np.arcsinh(value)
    return bounded if hours == 1 else on_base_bars(bounded, bars, hours)
