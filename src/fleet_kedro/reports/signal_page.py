"""A portfolio signal as one HTML file that needs nothing else: every asset says why."""

from collections.abc import Mapping

import plotly.graph_objects as go

from fleet_kedro.market.moment import show
from fleet_kedro.reports.document import card_row, document, figure_block
from fleet_kedro.reports.markup import Cell, Row, number, paragraph, section, table
from fleet_kedro.reports.signal_table import (
    call_in_words,
    interval_text,
    number_text,
    price_text,
    return_text,
)
from fleet_kedro.reports.units import NO_VALUE, counted, decimals, percent
from fleet_kedro.signals.entry_threshold import Direction
from fleet_kedro.signals.expectation import Absence
from fleet_kedro.signals.signal_shape import CASH, AssetSignal, PortfolioSignal

_TITLE = "Multi-asset signal"
_TONES = {Direction.BUY: "good", Direction.SELL: "bad", Direction.HOLD: ""}
_LATENTS_TOLD = 5


def render_signal(signal: PortfolioSignal, figures: Mapping[str, go.Figure]) -> str:
    """Write the page: what to hold first, then why.

    Parameters
    ----------
    figures
        As `draw_portfolio` names them.
    """
    drawn = {name: figure_block(name, figure) for name, figure in figures.items()}
    body = [
        _head(signal),
        _cards(signal),
        section("assets", "Asset by asset", _asset_table(signal), drawn["allocation"]),
        section("reasons", "Why", _reason_table(signal)),
        section(
            "forecasts",
            "Forecasts",
            paragraph(
                "The expected return, where it is expected to lie, and how far it has "
                "to go before it is worth a trade.",
                "note",
            ),
            drawn["forecasts"],
        ),
        section(
            "levels",
            "Support and resistance",
            paragraph(
                "The nearest prices at which the market turned before, and how many "
                "pivots make each. Stop and target are those of a trade opened now.",
                "note",
            ),
            _level_table(signal),
        ),
        _brain(signal),
        section("regime", "Regime", _regime_table(signal)),
    ]
    return document("\n".join(filter(None, body)), _TITLE)


def _head(signal: PortfolioSignal) -> str:
    assets = counted(len(signal.individual_signals), "asset")
    lead = (
        f"{show(signal.timestamp)} UTC, {assets}, forecasts over "
        f"{signal.horizon_hours} hours."
    )
    notices = "".join(paragraph(notice, "note") for notice in signal.notices)
    return f"<header>\n<h1>{_TITLE}</h1>\n{paragraph(lead, 'lead')}\n{notices}</header>"


def _cards(signal: PortfolioSignal) -> str:
    own = signal.individual_signals.values()
    left_out = sum(asset.problem != Absence.NONE for asset in own)
    cash = signal.portfolio_allocation[CASH]
    return card_row(
        [
            (
                f"Expected return, {signal.horizon_hours} h",
                return_text(signal.expected_return_12h),
                "of the portfolio, before costs; all cash: 0",
            ),
            ("Active positions", f"{signal.active_positions}", f"of {len(own)} assets"),
            ("Cash", percent(cash), f"{percent(1 - cash)} at work"),
            ("Left out", f"{left_out}", "assets that cannot be judged"),
        ]
    )


def _asset_table(signal: PortfolioSignal) -> str:
    header = [
        *("Asset", "Signal", "Confidence", "Price", "Target", "Expected", "Size"),
        *("Weight", "Data age, h"),
    ]
    rows: list[Row] = [
        [
            asset,
            Cell(call_in_words(own), tone=_TONES[own.signal]),
            own.confidence.value,
            price_text(own.current_price),
            price_text(own.target_price),
            number(return_text(own.expected_return), _interval(own)),
            decimals(own.position_size, 2),
            number(percent(signal.portfolio_allocation[asset])),
            number(number_text(own.data_age_hours, 1)),
        ]
        for asset, own in signal.individual_signals.items()
    ]
    cash = percent(signal.portfolio_allocation[CASH])
    rows.append([CASH, *[""] * (header.index("Weight") - 1), cash, ""])
    return table(header, rows, css="numbers totalled")


def _interval(signal: AssetSignal) -> str:
    return "" if signal.interval is None else interval_text(signal)


def _reason_table(signal: PortfolioSignal) -> str:
    rows: list[Row] = [
        [
            asset,
            number(own.reason),
            own.rule.name.replace("_", " ").lower(),
            NO_VALUE if own.threshold is None else percent(own.threshold, 2),
        ]
        for asset, own in signal.individual_signals.items()
    ]
    return table(["Asset", "In words", "Rule", "Threshold"], rows, css="facts")


def _level_table(signal: PortfolioSignal) -> str:
    header = [
        *("Asset", "Price", "Support", "Resistance", "Stop", "Target"),
        "Reward / risk",
    ]
    rows: list[Row] = []
    for asset, own in signal.individual_signals.items():
        levels = own.levels
        if levels is None:
            rows.append([asset, price_text(own.current_price), *[NO_VALUE] * 5])
            continue
        rows.append(
            [
                asset,
                price_text(own.current_price),
                _touched(levels.support, levels.support_touches),
                _touched(levels.resistance, levels.resistance_touches),
                price_text(levels.stop_loss),
                price_text(levels.take_profit),
                number_text(levels.reward_risk, 2),
            ]
        )
    return table(header, rows)


def _touched(price: float | None, touches: int) -> Cell:
    return Cell(price_text(price), counted(touches, "pivot") if price else "")


def _brain(signal: PortfolioSignal) -> str:
    """Tell which experts were listened to; nothing where no brain was asked."""
    own = signal.individual_signals
    experts = list(dict.fromkeys(name for s in own.values() for name in s.gate_weights))
    if not experts:
        return ""
    rows: list[Row] = [
        [
            asset,
            *(
                percent(asset_signal.gate_weights[name])
                if name in asset_signal.gate_weights
                else NO_VALUE
                for name in experts
            ),
            ", ".join(
                f"{latent.name} {latent.value:+.2f}"
                for latent in asset_signal.top_latents[:_LATENTS_TOLD]
            )
            or NO_VALUE,
        ]
        for asset, asset_signal in own.items()
    ]
    return section(
        "brain",
        "What the brain listened to",
        paragraph("Weight of each expert, and the inputs that stood out.", "note"),
        table(["Asset", *experts, "Top latents"], rows),
    )


def _regime_table(signal: PortfolioSignal) -> str:
    rows: list[Row] = [
        [
            asset,
            own.regime.fear.name.capitalize(),
            own.regime.season.name.capitalize(),
            percent(own.regime.exposure, 0),
            f"\N{MULTIPLICATION SIGN} {decimals(own.regime.tilt, 2)}",
        ]
        for asset, own in signal.individual_signals.items()
    ]
    header = ["Asset", "Fear (USDT.D)", "Season (BTC.D)", "Exposure", "Score"]
    return table(header, rows)
