"""A portfolio signal for a person at a console: a table, and a reason for each row."""

from rich.table import Table
from rich.text import Text

from fleet_kedro.market.moment import show
from fleet_kedro.reports.text_table import add_columns, blank_table, plain_lines
from fleet_kedro.reports.units import NO_VALUE, counted, decimals, percent
from fleet_kedro.signals.signal_shape import CASH, AssetSignal, PortfolioSignal

# Two lines a header, so that a console of 120 columns holds the whole table.
_HEADER = (
    *("\nSignal", "Confi-\ndence", "\nPrice", "\nTarget", "Expec-\nted"),
    *("Thres-\nhold", "\nInterval, %", "\nSize", "\nWeight", "\nStop", "\nProfit"),
    *("Reward\n/ risk", "Age,\nhours"),
)


def call_in_words(signal: AssetSignal) -> str:
    """Write a signal as people say it: ``STRONG BUY``, ``SELL``, ``HOLD``."""
    strong = "STRONG " if signal.strength == "STRONG" else ""
    return f"{strong}{signal.signal.name}"


def price_text(price: float | None) -> str:
    """Write a price in quote currency, with as many digits as its size asks for."""
    if price is None:
        return NO_VALUE
    return f"{price:,.2f}" if price >= 1 else f"{price:.6g}"


def return_text(fraction: float | None) -> str:
    """Write a return in percent, with its sign."""
    return NO_VALUE if fraction is None else f"{fraction:+.2%}"


def interval_text(signal: AssetSignal) -> str:
    """Write where the return is expected to lie."""
    if signal.interval is None:
        return NO_VALUE
    low, high = signal.interval.low, signal.interval.high
    return f"[{return_text(low)}, {return_text(high)}]"


def number_text(number: float | None, digits: int) -> str:
    """Write a plain number, or that there is none."""
    return NO_VALUE if number is None else decimals(number, digits)


def signal_table(signal: PortfolioSignal) -> Table:
    """Lay out a row per asset, and one for cash."""
    table = blank_table("Signals and allocation", is_dense=True)
    add_columns(table, "\nAsset", _HEADER)
    for asset, own in signal.individual_signals.items():
        weight = signal.portfolio_allocation[asset]
        table.add_row(Text(asset), *_cells(own, weight))
    cash = percent(signal.portfolio_allocation[CASH])
    empty = [""] * (_HEADER.index("\nWeight"))
    table.add_row(Text(CASH), *empty, cash, end_section=True)
    return table


def signal_lines(signal: PortfolioSignal) -> list[str]:
    """Write the whole signal as plain lines: table, reasons, portfolio."""
    return [
        "",
        f"MULTI-ASSET SIGNAL, {show(signal.timestamp)} UTC",
        *plain_lines(signal_table(signal)),
        "",
        *(
            f"{asset:<6} {own.reason}"
            for asset, own in signal.individual_signals.items()
        ),
        *signal.notices,
        "",
        portfolio_line(signal),
    ]


def portfolio_line(signal: PortfolioSignal) -> str:
    """Say what the portfolio comes to."""
    positions = counted(signal.active_positions, "active position")
    cash = percent(signal.portfolio_allocation[CASH])
    expected = return_text(signal.expected_return_12h)
    return (
        f"Expected return over {signal.horizon_hours} h: {expected}, "
        f"{positions}, {cash} cash."
    )


def _cells(signal: AssetSignal, weight: float) -> list[str]:
    levels = signal.levels
    return [
        call_in_words(signal),
        signal.confidence.value,
        price_text(signal.current_price),
        price_text(signal.target_price),
        return_text(signal.expected_return),
        NO_VALUE if signal.threshold is None else percent(signal.threshold, 2),
        _short_interval(signal),
        decimals(signal.position_size, 2),
        percent(weight),
        price_text(levels.stop_loss if levels else None),
        price_text(levels.take_profit if levels else None),
        number_text(levels.reward_risk if levels else None, 2),
        number_text(signal.data_age_hours, 1),
    ]


def _short_interval(signal: AssetSignal) -> str:
    if signal.interval is None:
        return NO_VALUE
    low, high = 100 * signal.interval.low, 100 * signal.interval.high
    return f"{low:+.2f} {high:+.2f}"
