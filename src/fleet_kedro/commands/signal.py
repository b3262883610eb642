"""``kedro fleet signal``: what the last run has said, without running anything."""

from pathlib import Path

import click
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from fleet_kedro.commands.plain import project_folder
from fleet_kedro.market.moment import show
from fleet_kedro.reports.signal_table import signal_lines
from fleet_kedro.reports.units import counted, percent
from fleet_kedro.signals.archive import filed_signals
from fleet_kedro.signals.expectation import Absence
from fleet_kedro.signals.signal_document import read_signal
from fleet_kedro.signals.signal_shape import CASH, PortfolioSignal

LATEST = "multi_asset_signal.json"
ARCHIVE = "signals"

HELP = """Show the latest signal. Nothing is computed, and no candle is fetched.

The signal is the one that `kedro run --pipelines signalling` has left. All earlier ones
are kept: --list names them, and --history 1 shows the last but one.

\b
  kedro fleet signal
  kedro fleet signal --json | jq .portfolio_allocation
  kedro fleet signal --list
"""


@click.command("signal", help=HELP, short_help="Show the latest signal.")
@click.option("--json", "as_json", is_flag=True, help="As it was written.")
@click.option(
    "--history",
    "ago",
    type=click.IntRange(min=0),
    metavar="N",
    help="The signal that was made N signals before the last one.",
)
@click.option("--list", "listed", is_flag=True, help="Name all signals, newest first.")
@click.option(
    "--reports",
    default="data/08_reporting",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder of the reports, relative to the project.",
)
def signal(*, as_json: bool, ago: int | None, listed: bool, reports: Path) -> None:
    """Print one signal, or the list of all."""
    folder = project_folder() / reports
    if listed:
        _print_list(folder / ARCHIVE)
        return
    path = folder / LATEST if ago is None else _filed(folder / ARCHIVE, ago)
    text = _text(path)
    made = _read(path, text)
    click.echo(text if as_json else "\n".join(signal_lines(made)), nl=not as_json)


def _print_list(folder: Path) -> None:
    table = Table()
    for head in ("N", "Made (UTC)", "Positions", "Cash", "Long or short", "Left out"):
        table.add_column(head, overflow="fold")
    for ago, path in enumerate(reversed(_all(folder))):
        table.add_row(str(ago), *_summary(_read(path, _text(path))))
    # A pipe has no width of its own; a line must not be cut there.
    Console(width=max(Console().width, 100), markup=False, highlight=False).print(table)


def _summary(made: PortfolioSignal) -> list[str]:
    weights = made.portfolio_allocation
    held = [
        f"{asset} {percent(weight)}"
        for asset, weight in weights.items()
        if weight and asset != CASH
    ]
    left_out = sum(
        own.problem != Absence.NONE for own in made.individual_signals.values()
    )
    return [
        show(made.timestamp),
        counted(made.active_positions, "position"),
        percent(weights[CASH]),
        ", ".join(held),
        str(left_out),
    ]


def _filed(folder: Path, ago: int) -> Path:
    filed = _all(folder)
    if ago >= len(filed):
        raise click.ClickException(
            f"{counted(len(filed), 'signal')} were made, so there is none {ago} before "
            "the last one; choose a smaller number, see --list."
        )
    return filed[-1 - ago]


def _all(folder: Path) -> list[Path]:
    filed = filed_signals(folder)
    if not filed:
        raise click.ClickException(_nothing(folder))
    return filed


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise click.ClickException(_nothing(path)) from error


def _nothing(path: Path) -> str:
    return (
        f"There is no signal in {path} yet; make one with "
        "`kedro run --pipelines signalling`."
    )


def _read(path: Path, text: str) -> PortfolioSignal:
    try:
        return read_signal(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise click.ClickException(
            f"{path} is no signal, {place}: {first['msg']}. Make a new one with "
            "`kedro run --pipelines signalling`."
        ) from error
