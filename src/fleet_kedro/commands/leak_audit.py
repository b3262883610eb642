"""``kedro fleet leak-audit``: prove that nothing leaks, or say where it does."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import click
from kedro.framework.session import KedroSession
from rich.console import Console

from fleet_kedro.audit.examine import Outcome, examine
from fleet_kedro.audit.planted import planted_leaks
from fleet_kedro.audit.samples import FEWEST_DAYS, WARMUP_DAYS, world_of
from fleet_kedro.audit.settings import audit_settings
from fleet_kedro.audit.step import Step
from fleet_kedro.audit.steps import project_steps
from fleet_kedro.audit.tables import (
    as_record,
    checks_that_found,
    closing_sentence,
    failure_line,
    failures,
    leak_table,
    outcome_table,
)
from fleet_kedro.audit.world import World
from fleet_kedro.features.catalogue import Profile
from fleet_kedro.market.dominance import DominancePolicy
from fleet_kedro.market.gaps import GapPolicy
from fleet_kedro.market.moment import show, to_utc
from fleet_kedro.market.source import MarketSource
from fleet_kedro.market.universe import Universe
from fleet_kedro.market.window import Window
from fleet_kedro.reports.progress import ConsoleWatcher

MOST_FAILURES_TOLD = 20

HELP = """Audit every step of the project for leaks from the future.

Each step (every signal of the catalogue, physics, label, folds, scales, latents, gate
and thresholds, and the walk as a whole) is computed in two worlds that differ in one
thing, and must not notice it:

\b
  future cut off   nothing after a random moment is there
  other future     prices and volumes go another way from a moment on
  other warm-up    older candles are gone, or are others
  assets swapped   the assets come in another order
  border moved     a gap opens in one asset

Without --env, the market is the embedded synthetic one; with `--env files`, candles are
read from FLEET_MARKET_DIR. Windows are shorter than in a run, so that a few weeks
suffice. The exit status is 1 if anything is found.

\b
  kedro fleet leak-audit
  kedro fleet leak-audit --env files --assets BTC,DOGE,SOL --verbose
  kedro fleet leak-audit --planted      known mistakes: each must be found
"""


class Request(NamedTuple):
    """What was asked for on the command line."""

    env: str | None
    assets: tuple[str, ...]
    days: int
    end: datetime | None
    profile: Profile
    seed: int

    def as_facts(self) -> dict[str, Any]:
        """Return it as plain values."""
        end = None if self.end is None else show(self.end)
        return {**self._asdict(), "end": end}


def _as_moment(_: Any, __: Any, value: str | None) -> datetime | None:
    try:
        return None if value is None else to_utc(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.group()
def fleet() -> None:
    """Verbs of the fleet that Kedro does not have."""


@fleet.command("leak-audit", help=HELP)
@click.option("--env", "-e", help="Kedro environment whose market is audited.")
@click.option(
    "--assets",
    default="BTC,ETH,SOL",
    show_default=True,
    help="Assets of the audited market; two or more.",
)
@click.option(
    "--days",
    default=60,
    show_default=True,
    type=click.IntRange(min=FEWEST_DAYS),
    help=f"Length of the audited window; {WARMUP_DAYS} older days come along.",
)
@click.option(
    "--end",
    callback=_as_moment,
    help="Its last candle, such as 2023-12-31T23:00; else the configured one.",
)
@click.option(
    "--profile",
    type=click.Choice(["full", "lean"]),
    default="full",
    show_default=True,
    help="Which signals are audited.",
)
@click.option(
    "--seed", default=0, show_default=True, help="Draws moments and other futures."
)
@click.option("--planted", is_flag=True, help="Audit known mistakes instead.")
@click.option("--verbose", "-v", is_flag=True, help="A row per signal.")
@click.option(
    "--json",
    "record",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write every outcome to this file, too.",
)
def leak_audit(
    assets: str, *, record: Path | None, planted: bool, verbose: bool, **options: Any
) -> None:
    """Run the audit that was asked for, and exit with what came of it."""
    names = tuple(name.strip() for name in assets.split(",") if name.strip())
    request = Request(assets=names, **options)
    try:
        world = _world(request)
    except ValueError as error:
        # What the market and the configuration refuse, they refuse in a sentence.
        raise click.ClickException(str(error)) from error
    if planted:
        outcomes, passed = audit_planted(world, request.seed)
    else:
        steps = project_steps(world.settings)
        outcomes = audit(world, steps, request.seed, verbose=verbose)
        passed = not failures(outcomes)
    if record is not None:
        write_record(record, as_record(outcomes, **request.as_facts()))
    if not passed:
        raise click.exceptions.Exit(1)


def _world(request: Request) -> World:
    """Load the market of the environment, for the assets and days asked for."""
    context = KedroSession.create(env=request.env).load_context()
    parameters = context.config_loader["parameters"]
    universe = Universe.model_validate(
        parameters["universe"] | {"assets": request.assets}
    )
    window = Window.model_validate(
        {
            "days": request.days,
            "warmup_days": WARMUP_DAYS,
            "end": request.end or parameters["window"].get("end"),
        }
    )
    settings = audit_settings(
        request.profile,
        GapPolicy.model_validate(parameters["gaps"]),
        DominancePolicy.model_validate(parameters["dominance_policy"]),
    )
    source = MarketSource.model_validate(parameters["market"])
    return world_of(source.load(universe, window), window, settings)


def audit(
    world: World, steps: Sequence[Step], seed: int, *, verbose: bool = False
) -> list[Outcome]:
    """Audit steps, show a table of them, and tell of what did not pass."""
    track = ConsoleWatcher(round_trip_cost=0.0).track
    outcomes = examine(world, steps, seed, track)
    failed = failures(outcomes)
    console = Console()
    console.print(outcome_table(outcomes, verbose=verbose))
    for outcome in failed[:MOST_FAILURES_TOLD]:
        console.print(failure_line(outcome), markup=False, highlight=False)
    if len(failed) > MOST_FAILURES_TOLD:
        console.print(f"… and {len(failed) - MOST_FAILURES_TOLD} more; see --json.")
    console.print(closing_sentence(outcomes), style="red" if failed else "green")
    return outcomes


def audit_planted(world: World, seed: int) -> tuple[list[Outcome], bool]:
    """Audit the planted leaks, show who found each, and say whether all were found."""
    leaks = planted_leaks()
    track = ConsoleWatcher(round_trip_cost=0.0).track
    outcomes = examine(world, [leak.step for leak in leaks], seed, track)
    found = [leak.check in checks_that_found(leak, outcomes) for leak in leaks]
    console = Console()
    console.print(leak_table(leaks, outcomes))
    console.print(
        f"{sum(found)} of {len(leaks)} planted leaks found.",
        style="green" if all(found) else "red",
    )
    return outcomes, all(found)


def write_record(path: Path, values: Mapping[str, Any]) -> None:
    """Write JSON whole or not at all: a reader never meets half a file."""
    text = json.dumps(values, indent=2, allow_nan=False) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
