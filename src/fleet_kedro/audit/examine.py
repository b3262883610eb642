"""Every step under every check."""

import math
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from fleet_kedro.audit.checks import Trial
from fleet_kedro.audit.pairing import Difference, Pairing, Rows
from fleet_kedro.audit.step import Step, Tabulate
from fleet_kedro.audit.trials import draw_trials
from fleet_kedro.audit.world import World
from fleet_kedro.models.fleet_rows import Track, silently

Status = Literal["ok", "finding", "nothing compared"]

_NO_ROWS = Rows(pd.DatetimeIndex([], tz="UTC"), np.array([], dtype=object))


class Outcome(NamedTuple):
    """What a check says of a step.

    ``difference`` is the greatest one and where it began; ``compared`` counts the
    numbers that had to agree.
    """

    step: str
    group: str
    check: str
    compared: int
    difference: Difference | None

    @property
    def status(self) -> Status:
        """A check that compared nothing has not been passed."""
        if self.difference is not None:
            return "finding"
        return "ok" if self.compared else "nothing compared"


def examine(
    world: World, steps: Sequence[Step], seed: int, track: Track = silently
) -> list[Outcome]:
    """Hold every step to its law under every check that the law speaks of.

    Parameters
    ----------
    seed
        Draws the moments and the other futures.
    track
        Shows how many trials are done.

    Returns
    -------
    list of Outcome
        One for each step and check, in the order of the steps.
    """
    trials = draw_trials(world, steps, seed)
    found: dict[tuple[str, str], Outcome] = {}
    for trial in track(trials, "Auditing"):
        for outcome in _try(world, steps, trial):
            key = outcome.step, outcome.check
            found[key] = _together(found[key], outcome) if key in found else outcome
    checks = dict.fromkeys(trial.check for trial in trials)
    keys = [(step.name, check) for step in steps for check in checks]
    return [found[key] for key in keys if key in found]


def _try(world: World, steps: Sequence[Step], trial: Trial) -> Iterator[Outcome]:
    """Compare the two worlds of a trial, for each step that it concerns."""
    worlds = trial.worlds(world)
    pairings: dict[Tabulate, Pairing] = {}
    for step in steps:
        # Tables are costly: none is made where the law is silent.
        if trial.demand(step.law, _NO_ROWS) is None:
            continue
        if step.tabulate not in pairings:
            pairings[step.tabulate] = Pairing(
                worlds.base.table(step.tabulate), worlds.other.table(step.tabulate)
            )
        pairing = pairings[step.tabulate]
        demand = trial.demand(step.law, pairing.rows)
        if demand is not None:
            difference, compared = pairing.compare(step.columns, demand)
            yield Outcome(step.name, step.group, trial.check, compared, difference)


def _together(one: Outcome, other: Outcome) -> Outcome:
    """Unite two trials of one check: the greater difference, all that was compared."""
    worst = max(one, other, key=_size)
    return worst._replace(compared=one.compared + other.compared)


def _size(outcome: Outcome) -> float:
    return -math.inf if outcome.difference is None else outcome.difference.worst
