"""A project with everything that a signal is made from: candles, models, rules."""

import os
import shutil
import sys
from pathlib import Path

import pytest
from kedro.config import OmegaConfigLoader

from fleet_kedro.features.recipe import FeatureRecipe
from fleet_kedro.models.forecasters.bars import asset_bars
from fleet_kedro.signals.signal_shape import PortfolioSignal

# Lets the tests of this folder import what they share.
sys.path.insert(0, str(Path(__file__).parent))

from signal_stock import (
    ASSETS,
    ENVIRONMENT,
    FORECASTERS,
    ORDER,
    Configuration,
    Workplace,
    configure,
    write_models,
)


@pytest.fixture(scope="session")
def stocked(make_project, planted_fleet, fleet_features, trained_brain) -> Path:
    """The folder of a project that has been trained, made once and only copied."""
    project = make_project()
    configure(project, planted_fleet.settings.model_dump(mode="json"))
    data = project.folder / "data"
    for name in ("01_raw", "02_intermediate/candles", "06_models"):
        (data / name).mkdir(parents=True)
    for asset, own in planted_fleet.candles.groupby("asset"):
        path = data / f"02_intermediate/candles/{asset}.parquet"
        own.reset_index(drop=True).to_parquet(path)
    planted_fleet.dominance.to_parquet(data / "01_raw/dominance.parquet")
    btc = planted_fleet.candles.loc[planted_fleet.candles["asset"] == "BTC"]
    bars = asset_bars(
        fleet_features["BTC"](), btc.reset_index(drop=True), FORECASTERS.bars
    )
    recipe = FeatureRecipe(
        settings=planted_fleet.settings, orders=dict.fromkeys(ASSETS, ORDER)
    )
    write_models(data / "06_models", trained_brain, bars, recipe)
    return project.folder


@pytest.fixture(scope="session")
def configuration(stocked: Path) -> Configuration:
    loader = OmegaConfigLoader(
        conf_source=str(stocked / "conf"),
        env=ENVIRONMENT,
        base_env="base",
        default_run_env="local",
        custom_resolvers={
            "env": lambda name, default="": os.environ.get(name, default)
        },
    )
    return loader["parameters"], loader["catalog"]


@pytest.fixture
def workplace(stocked: Path, configuration: Configuration, tmp_path: Path) -> Workplace:
    """Return a project of one's own, with all that a signal is made from."""
    folder = tmp_path / "project"
    shutil.copytree(stocked, folder)
    return Workplace(folder, configuration)


@pytest.fixture(scope="session")
def first_signal(
    stocked: Path, configuration: Configuration, tmp_path_factory
) -> PortfolioSignal:
    """The signal of a project in which nothing is wrong."""
    folder = tmp_path_factory.mktemp("sound") / "project"
    shutil.copytree(stocked, folder)
    return Workplace(folder, configuration).signal()
