"""A strategy built up in steps: one asset, three, dominance, levels, the whole fleet.

Each step is traded on the same days by the same rules; only what is said here changes.
"""

from collections.abc import Mapping
from typing import NamedTuple

from pydantic import Field

from fleet_kedro.config import Config
from fleet_kedro.signals.backtest.decisions import Decisions
from fleet_kedro.signals.backtest.engine import trade
from fleet_kedro.signals.backtest.ledger import Ledger
from fleet_kedro.signals.backtest.luck import Luck
from fleet_kedro.signals.backtest.rules import TradingRules
from fleet_kedro.signals.decision import SignalSettings
from fleet_kedro.signals.history import History, Lookout, decide_history

DEFAULT = "Default thresholds"
TUNED = "Tuned thresholds"


class BacktestSettings(Config):
    """How signals are followed, and what they are held against."""

    rules: TradingRules = TradingRules()
    lookout: Lookout
    luck: Luck
    first_asset: str = Field(
        default="BTC", min_length=1, description="Alone in the first step."
    )
    core_assets: tuple[str, ...] = Field(
        default=("BTC", "ETH", "SOL"),
        strict=False,
        min_length=1,
        description="From the second step on, as far as the market lists them.",
    )


class Phase(NamedTuple):
    """A step: its name, its assets and its rules."""

    name: str
    assets: tuple[str, ...]
    settings: SignalSettings


def phases(
    fleet: tuple[str, ...], settings: SignalSettings, backtest: BacktestSettings
) -> list[Phase]:
    """Return the steps, the last one being the strategy with all that it has.

    What the settings themselves switch off stays off in all steps.

    Raises
    ------
    ValueError
        If the fleet does not list the first asset.
    """
    first = backtest.first_asset
    if first not in fleet:
        raise ValueError(
            f"The ladder begins with {first}, which is not among {', '.join(fleet)}: "
            "name another first_asset."
        )
    core = tuple(asset for asset in backtest.core_assets if asset in fleet) or (first,)
    bare = _without(settings, "regime", "levels")
    with_dominance = _without(settings, "levels")
    return [
        Phase(f"{first} only", (first,), bare),
        Phase(" + ".join(core), core, bare),
        Phase("with dominance", core, with_dominance),
        Phase("with stops and targets", core, settings),
        Phase(strategy_name(fleet), fleet, settings),
    ]


def strategy_name(fleet: tuple[str, ...]) -> str:
    """Return the name of the last step."""
    return f"Fleet of {len(fleet)}"


def trade_phases(
    history: History, settings: SignalSettings, backtest: BacktestSettings
) -> dict[str, Ledger]:
    """Trade every step over the same hours; in order, by name."""
    return {
        phase.name: trade(
            history.market,
            decide_history(history, phase.assets, phase.settings, backtest.lookout),
            rules_for(phase.settings, backtest.rules),
        )
        for phase in phases(history.market.assets, settings, backtest)
    }


def trade_thresholds(
    history: History,
    steps: Mapping[str, Ledger],
    settings: SignalSettings,
    backtest: BacktestSettings,
) -> dict[str, Ledger]:
    """Return the last step with default and with tuned thresholds, in this order.

    Only with default ones where nothing was tuned. ``steps`` are as `trade_phases`
    leaves them; what was traded there is not traded again.
    """
    used = steps[strategy_name(history.market.assets)]
    if history.tuned_factor is None:
        return {DEFAULT: used}
    is_tuned = thresholds_used(history, settings) == TUNED
    threshold = settings.threshold.model_copy(update={"tuned": not is_tuned})
    others = settings.model_copy(update={"threshold": threshold})
    other = trade(
        history.market,
        strategy_decisions(history, others, backtest),
        rules_for(others, backtest.rules),
    )
    default, tuned = (other, used) if is_tuned else (used, other)
    return {DEFAULT: default, TUNED: tuned}


def thresholds_used(history: History, settings: SignalSettings) -> str:
    """Name the thresholds that the strategy uses: tuned ones if there are some."""
    has_tuned = history.tuned_factor is not None
    return TUNED if settings.threshold.tuned and has_tuned else DEFAULT


def strategy_decisions(
    history: History, settings: SignalSettings, backtest: BacktestSettings
) -> Decisions:
    """Return what the last step decides."""
    fleet = history.market.assets
    return decide_history(history, fleet, settings, backtest.lookout)


def rules_for(settings: SignalSettings, rules: TradingRules) -> TradingRules:
    """Return the rules, once signals and account agree about shorts.

    Raises
    ------
    ValueError
        If one of them allows shorts and the other does not.
    """
    if settings.allocation.allows_short != rules.allow_short:
        raise ValueError(
            f"The allocation has allows_short={settings.allocation.allows_short}, the "
            f"account allow_short={rules.allow_short}: give both the same."
        )
    return rules


def _without(settings: SignalSettings, *blocks: str) -> SignalSettings:
    """Switch off what is named."""
    off = {
        name: getattr(settings, name).model_copy(update={"is_used": False})
        for name in blocks
    }
    return settings.model_copy(update=off)
