"""The catalogue as a table, and as the page ``docs/signals.md``.

``python -m fleet_kedro.features.signal_table`` writes the page below the current
folder, or to the path that it is given.
"""

import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pandas as pd

from fleet_kedro.features.catalogue import Profile, Signal, catalogue
from fleet_kedro.features.lags import LAGS

PAGE = Path("docs/signals.md")
COLUMNS = (
    "name",
    "family",
    "window_bars",
    "formula",
    "unit",
    "source",
    "warmup_bars",
    "bounded",
    "is_flag",
)
HEADER = "| name | window | formula | unit | source | warm-up | bound |"
INTRODUCTION = """\
# Signals

The feature catalogue: {count} base signals in {n_families} families. Each stands in the
table of its asset once; models see it at the lags {lags} bars, {width} columns in all.
This page is written by `python -m fleet_kedro.features.signal_table` from
`features/catalogue.py`, and a test compares the two.

How to read it:

- A signal in row *t* uses candles up to *t* of the asset's own gap-free segment, and
  the other assets' candles of the same hours. It is known when candle *t* closes.
- *Window* and *warm-up* count hourly bars. The warm-up is the number of rows at the
  start of a segment (one that begins at midnight UTC) before the first value; no row is
  lost after it. In a formula *w* is the window in bars of the signal's timeframe:
  hours, or closed bars of four hours (`_4h`) or of one day (`_1d`), which change only
  when such a bar closes. Where the text says days or weeks, *w* is in hours.
- `O`, `H`, `L`, `C` and `V` are the candle, `r` its log return, `m` the mean log return
  of all **other** assets, `b` that of BTC, `x[t-1]` or `x[-1]` the value a bar before.
  `vol` is the root mean square log return of the window, of 21 bars at least, and one
  basis point at least; `vol_m` and `vol_b` are the same of `m` and of `b`.
- *Bound* says what holds outliers: `formula` where the formula itself stays within
  -1 … 1, `asinh` where its result passes through asinh, `flag` for a 0/1 mark that no
  scaler touches. Every number is free of the scale of prices and of volumes.
- A window in which nothing moves, or nothing trades, gives a neutral value, never NaN.
- For BTC itself, the signals of the family `bitcoin` compare a series with itself:
  betas and correlations are 1; residuals, spreads, asymmetry and relative volatility 0;
  momentum, volatility, drawdown and leads repeat BTC's own. They are kept, finite, so
  that one set of columns fits every asset.

| family | signals |
|---|---|
{families}
"""


def signal_table(profile: Profile = "full") -> pd.DataFrame:
    """Describe the catalogue, a row per signal: what it is and where it comes from."""
    signals = catalogue(profile)
    table = {name: [getattr(signal, name) for signal in signals] for name in COLUMNS}
    return pd.DataFrame(table).astype({"window_bars": "Int64"})


def signal_page() -> str:
    """Write the full catalogue as Markdown, grouped by family in catalogue order."""
    signals = catalogue("full")
    groups = [(name, list(own)) for name, own in groupby(signals, lambda s: s.family)]
    introduction = INTRODUCTION.format(
        count=len(signals),
        n_families=len(groups),
        lags=", ".join(str(lag) for lag in LAGS),
        width=f"{len(signals) * len(LAGS):,}",
        families="\n".join(
            f"| [{name}](#{name}) | {len(own)} |" for name, own in groups
        ),
    )
    sections = [_section(name, own) for name, own in groups]
    return "\n".join([introduction, *sections])


def main(arguments: list[str]) -> None:
    """Write the page to the given path, ``docs/signals.md`` by default."""
    page = Path(arguments[0]) if arguments else PAGE
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(signal_page(), encoding="utf-8")


def _section(family: str, signals: list[Signal]) -> str:
    rule = "|---|---:|---|---|---|---:|---|"
    return "\n".join([f"## {family}", "", HEADER, rule, *_lines(signals), ""])


def _lines(signals: list[Signal]) -> Iterator[str]:
    for signal in signals:
        window = "" if signal.window_bars is None else str(signal.window_bars)
        bound = "flag" if signal.is_flag else "formula" if signal.bounded else "asinh"
        cells = (
            f"`{signal.name}`",
            window,
            signal.formula,
            signal.unit,
            signal.source,
            str(signal.warmup_bars),
            bound,
        )
        # A bar in a formula would end its cell.
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    main(sys.argv[1:])
