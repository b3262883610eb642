from collections.abc import Callable

import pandas as pd
import pytest

from fleet_kedro.audit.examine import Outcome, examine
from fleet_kedro.audit.planted import planted_leaks
from fleet_kedro.audit.samples import synthetic_world
from fleet_kedro.audit.settings import audit_settings
from fleet_kedro.audit.step import Law, Step
from fleet_kedro.audit.steps import project_steps
from fleet_kedro.audit.world import World


@pytest.fixture(scope="session")
def world() -> World:
    """Three assets of the synthetic market, with few signals."""
    return synthetic_world(audit_settings("lean"), days=48)


@pytest.fixture(scope="session")
def outcomes(world: World) -> list[Outcome]:
    """One audit of the project's steps and of the planted leaks, side by side.

    Eight walks would take as long as all else; they are audited where slow tests run.
    """
    planted = [leak.step for leak in planted_leaks()]
    steps = [
        step
        for step in project_steps(world.settings)
        if not step.name.startswith("walk")
    ]
    return examine(world, [*steps, *planted], seed=0)


@pytest.fixture(scope="session")
def step_of() -> Callable[..., Step]:
    """Return a function that wires a column of candles, computed anew, as a step."""

    def wire(
        compute: Callable[[pd.DataFrame], pd.Series],
        law: Law | None = None,
        name: str = "tried",
    ) -> Step:
        def tabulate(world: World) -> pd.DataFrame:
            tables = [
                own[["timestamp", "asset"]].assign(value=compute(own))
                for own in world.by_asset.values()
            ]
            return pd.concat(tables, ignore_index=True)

        return Step(name, name, tabulate, "value", law or Law())

    return wire
