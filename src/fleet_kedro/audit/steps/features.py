"""Steps of the features chapter: every signal by name, physics, label and the rest."""

import re
from collections.abc import Callable, Mapping

import pandas as pd

from fleet_kedro.audit.settings import AuditSettings
from fleet_kedro.audit.step import Law, Step
from fleet_kedro.audit.world import World
from fleet_kedro.features.build import LABEL, asset_features
from fleet_kedro.features.catalogue import ROWS, Signal, catalogue
from fleet_kedro.features.fractional import FractionalDifference
from fleet_kedro.features.signal import TIMEFRAMES
from fleet_kedro.models.rows import pattern_windows, read_features

SEEING_OTHERS = ("bitcoin", "market", "ranks", "regime")
"""Families whose numbers contain other assets' candles."""

MARKET_FORMULAS = ("relative_attention", "market_same_half_day_move")
"""Such formulas of other families."""

# A formula's numbers are relative to the first candle of its segment: with another
# first candle the last bits of float64 may differ, and with them one of float32.
WARM_UP_TOLERANCE = 1e-5

FADE_BARS: Mapping[str, Callable[[int], float]] = {
    "adaptive_average_distance": lambda _: 240.0,
    "adx": lambda window: 2.0 * window,
    "directional_balance": float,
    "macd": float,
    "rsi": float,
    "stochastic_rsi": lambda window: 2.0 * window,
    "trix": float,
    "true_range": float,
}
"""Recursive averages have no end: bars until an old candle's share has shrunk to 1/e.

Wilder's average of ``w`` bars keeps ``1 - 1/w`` of it a bar, and ADX smooths twice; the
slower exponential average of the MACD spans ``2 w``; Kaufman's forgets as little as
0.4 % a bar in noise; the stochastic RSI divides by a range that may be small.
"""

MEMORY_BARS = {
    # since Monday, since Friday evening, since midnight
    "week_to_date": 168,
    "friday_distance": 168,
    "day_to_date": 24,
    "day_position": 24,
    # a run of rises is as long as it is; two days have not been seen
    "streak": 48,
    # the trailing stop remembers the extreme of the spell before the present one
    "parabolic_distance": 233,
}
"""Formulas without a window that look back beyond their first finite value."""


def feature_steps(settings: AuditSettings) -> list[Step]:
    """Return the steps that make a feature table, signals first."""
    signals = [_signal_step(signal) for signal in catalogue(settings.profile)]
    return [*signals, *_derived_steps(settings), _label_step(settings)]


def signal_table(world: World) -> pd.DataFrame:
    """Build the feature tables of the audited profile, one below the other."""
    profile = world.settings.profile
    if profile == world.settings.features.profile:
        return derived_table(world)
    settings = world.settings.features.model_copy(update={"profile": profile})
    tables = [
        asset_features(own, world.context, world.orders[asset], settings)
        for asset, own in world.by_asset.items()
    ]
    return pd.concat(tables, ignore_index=True)


def derived_table(world: World) -> pd.DataFrame:
    """Lay the feature tables that the walk reads one below the other."""
    return pd.concat(world.features.values(), ignore_index=True)


def order_table(world: World) -> pd.DataFrame:
    """Return the fractional orders, known before the first fold's embargo."""
    fold = world.folds()[0]
    return pd.DataFrame(
        {
            "timestamp": fold.train_end,
            "asset": list(world.orders),
            "order": list(world.orders.values()),
        }
    )


def pattern_table(world: World) -> pd.DataFrame:
    """Cut the pattern windows of every usable row."""
    names = [signal.name for signal in world.signals]
    n_bars = world.settings.walk.brain.pattern_bars
    tables = []
    for frame in world.features.values():
        parts = read_features(frame, names, world.start, n_bars)
        bar = parts.is_usable.nonzero()[0]
        series = parts.inputs["log_price_fracdiff"].to_numpy()
        windows = pd.DataFrame(pattern_windows(series, bar, n_bars))
        keys = frame.loc[parts.is_usable, ["timestamp", "asset"]].reset_index(drop=True)
        tables.append(pd.concat([keys, windows.add_prefix("pattern_")], axis="columns"))
    return pd.concat(tables, ignore_index=True)


def _signal_step(signal: Signal) -> Step:
    formula = _formula_name(signal)
    hours = _hours_a_bar(signal)
    sees_others = signal.family in SEEING_OTHERS or formula in MARKET_FORMULAS
    fade = FADE_BARS.get(formula)
    law = Law(
        # The market's return of the first bar needs the bar before it.
        memory_bars=max(
            signal.warmup_bars + hours * sees_others, MEMORY_BARS.get(formula, 0)
        ),
        fade_bars=0.0 if fade is None else fade(signal.window_bars or 1),
        warm_up_tolerance=WARM_UP_TOLERANCE,
        own_only=not sees_others,
        restarts=True,
    )
    group = f"signals: {signal.family.replace('_', ' ')}"
    return Step(signal.name, group, signal_table, re.escape(signal.name), law)


def _formula_name(signal: Signal) -> str:
    """Return the formula of a signal, the longest that begins its name."""
    names = [row.formula.name for row in ROWS]
    return max((n for n in names if signal.name.startswith(n)), key=len)


def _hours_a_bar(signal: Signal) -> int:
    suffixes = {hours: suffix for hours, suffix in TIMEFRAMES.items() if suffix}
    return next((h for h, end in suffixes.items() if signal.name.endswith(end)), 1)


def _derived_steps(settings: AuditSettings) -> list[Step]:
    physics, fractional = settings.features.physics, settings.features.fractional
    return [
        _derived("physics", "physics_.*", physics.warm_up_bars, "close"),
        _derived("elastic", "elastic_.*", physics.theta_bars, "close"),
        _derived(
            "fractional difference",
            "log_price_fracdiff",
            fractional.max_window_bars,
            "close",
        ),
        Step("fractional order", "fractional order", order_table, "order", Law()),
        _derived("energy: volume", "energy_volume", 0, "volume"),
        _derived("energy: move", "energy_move", 1, "close"),
        Step(
            "pattern windows",
            "pattern windows",
            pattern_table,
            "pattern_.*",
            Law(
                memory_bars=_usable_after(settings, fractional),
                warm_up_tolerance=WARM_UP_TOLERANCE,
                own_only=True,
                restarts=True,
            ),
        ),
    ]


def _derived(name: str, columns: str, memory_bars: int, read: str) -> Step:
    law = Law(
        memory_bars=memory_bars,
        warm_up_tolerance=WARM_UP_TOLERANCE,
        reads=(read,),
        own_only=True,
        restarts=True,
    )
    return Step(name, name, derived_table, columns, law)


def _usable_after(settings: AuditSettings, fractional: FractionalDifference) -> int:
    """Bars after which everything that a usable row is made of is known."""
    window = fractional.max_window_bars + settings.walk.brain.pattern_bars
    signals = max(s.warmup_bars for s in catalogue(settings.features.profile)) + 8
    return max(window, signals, settings.features.physics.warm_up_bars)


def _label_step(settings: AuditSettings) -> Step:
    law = Law(
        reach_bars=settings.features.label.last_known_offset_bars,
        memory_bars=0,
        reads=("open",),
        own_only=True,
        restarts=True,
    )
    return Step("label", "label", derived_table, LABEL, law)
