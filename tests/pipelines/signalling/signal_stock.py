"""What a signal is made from, small: models, rules, and a project that holds them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from kedro.io import DataCatalog
from kedro.runner import SequentialRunner
from kedro.validation import TypeExtractor

from fleet_kedro.features.recipe import IN_CARD, FeatureRecipe
from fleet_kedro.market.errors import MarketError
from fleet_kedro.market.schema import BAR
from fleet_kedro.models.brain_files import brain_to_files
from fleet_kedro.models.conformal import ConformalSettings
from fleet_kedro.models.forecasters.bars import AssetBars
from fleet_kedro.models.forecasters.settings import ForecasterSettings, make_forecaster
from fleet_kedro.models.trained_brain import TrainedBrain
from fleet_kedro.pipelines.signalling import create_pipeline
from fleet_kedro.signals.calibrated_return import CalibratedReturn, ReturnCurve
from fleet_kedro.signals.decision import SignalSettings
from fleet_kedro.signals.decision_rules import (
    FORECASTS,
    Curves,
    DecisionRules,
    Thresholds,
    rules_to_files,
)
from fleet_kedro.signals.ensemble_rule import EnsembleRule, Reading, rule_to_files
from fleet_kedro.signals.return_thresholds import ReturnThreshold, TunedFor
from fleet_kedro.signals.signal_document import read_signal
from fleet_kedro.signals.signal_shape import PortfolioSignal
from fleet_kedro.store.bundle import StoredModel, read_bundle, write_bundle
from fleet_kedro.store.card import DataUsed, ModelCard

ENVIRONMENT = "small"
ASSETS = ("BTC", "ETH", "SOL")
ORDER = 0.4
WALK = "5e" * 32
WEIGHTS = {"lightgbm": 0.5, "lstm": 0.3}
HALF_WIDTH = 1.5
FORECASTERS = ForecasterSettings.model_validate(
    {
        "bars": {
            "signals": ["momentum_3", "rsi_13", "wick_imbalance_1"],
            "channels": ["momentum_1", "volume_ratio_8"],
            "longest_window_bars": 24,
            "volatility_bars": 48,
            "horizon_bars": 12,
        },
        "lightgbm": {
            "n_trees": 20,
            "max_leaves": 4,
            "min_leaf_outcomes": 2,
            "l2": 0.0,
            "doubt": 0.0,
        },
        "lstm": {
            "window_bars": 12,
            "width": 4,
            "training": {"epochs": 2, "batch_size": 64, "rows_per_epoch": 256},
        },
    }
)


Configuration = tuple[dict[str, Any], dict[str, Any]]
"""Parameters and catalog, as Kedro's loader gives them: reading them takes a second."""


class Workplace:
    """A project folder in which the pipeline runs, in this process, as Kedro would."""

    def __init__(self, folder: Path, configuration: Configuration) -> None:
        self.folder = folder
        self._configuration = configuration

    @property
    def reports(self) -> Path:
        return self.folder / "data/08_reporting"

    @property
    def latest(self) -> Path:
        return self.reports / "multi_asset_signal.json"

    @property
    def archived(self) -> list[str]:
        return sorted(path.name for path in (self.reports / "signals").glob("*"))

    def signal(self, **changes: Any) -> PortfolioSignal:
        """Make a signal and read what was left; ``changes`` go into parameters."""
        self.run(**changes)
        return read_signal(self.latest.read_text(encoding="utf-8"))

    def refusal(self, **changes: Any) -> str:
        """Return the sentence with which a run ends that has nothing to judge."""
        with pytest.raises(MarketError) as refused:
            self.run(**changes)
        return str(refused.value)

    def run(self, **changes: Any) -> None:
        pipeline = create_pipeline()
        blocks, entries = self._configuration
        catalog = DataCatalog.from_config(
            {
                name: self._placed(entries[name])
                for name in pipeline.datasets() & entries.keys()
            }
        )
        types = TypeExtractor({"all": pipeline}).extract_types_from_pipelines()
        for name, kind in types.items():
            block = _merged(blocks[name], changes.get(name, {}))
            catalog[f"params:{name}"] = kind.model_validate(block)
        SequentialRunner().run(pipeline, catalog)

    def _placed(self, entry: dict[str, Any]) -> dict[str, Any]:
        paths = {key: str(self.folder / entry[key]) for key in _PATHS if key in entry}
        return entry | paths

    def change_candles(
        self, asset: str, change: Callable[[pd.DataFrame], pd.DataFrame]
    ) -> None:
        """Put other candles in the place of an asset's."""
        path = self.folder / f"data/02_intermediate/candles/{asset}.parquet"
        change(pd.read_parquet(path)).to_parquet(path)

    def move_clock(self, hours_ahead: int = 0) -> None:
        """Move all candles in time, so that the newest one closes at this hour."""
        close = pd.Timestamp.now("UTC").floor("h") + hours_ahead * BAR

        def moved(candles: pd.DataFrame) -> pd.DataFrame:
            ahead = close - BAR - candles["timestamp"].iloc[-1]
            stamps = (candles["timestamp"] + ahead).astype("datetime64[us, UTC]")
            return candles.assign(timestamp=stamps)

        for asset in ASSETS:
            self.change_candles(asset, moved)


_PATHS = ("filepath", "path")


def _merged(block: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Change some keys, those of blocks inside included."""
    return block | {
        key: _merged(block.get(key, {}), value) if isinstance(value, dict) else value
        for key, value in changes.items()
    }


def card_of(name: str, kind: str, assets: tuple[str, ...], **told: Any) -> ModelCard:
    return ModelCard(
        name=name,
        kind=kind,
        assets=assets,
        libraries={"python": "3.11"},
        parameters=told,
        data=DataUsed(
            source="drawn for a test",
            start="2023-10-02",
            end="2023-12-21",
            rows=5000,
            sha256="ab" * 32,
        ),
        folds=2,
        n_parameters=1,
    )


def draw_rules(kept_share: float = 0.9) -> DecisionRules:
    """Curves that promise a lot, or nothing, and a threshold for SOL alone."""
    ends = (-1.0, 1.0) if kept_share else (0.0, 0.0)
    curve = ReturnCurve(knots=(0.3, 0.7), values=ends, low=-0.8, high=0.8)
    tuned = ReturnThreshold(factor=0.5, outcome="tuned")
    return DecisionRules(
        Curves(
            forecasts=WALK,
            horizon_hours=12,
            level=0.8,
            curves=CalibratedReturn(kept_share=kept_share, fleet=curve, assets={}),
        ),
        Thresholds(
            forecasts=WALK,
            tuned_for=TunedFor.of(SignalSettings()),
            assets={"SOL": tuned},
        ),
    )


def write_models(
    store: Path, brain: TrainedBrain, bars: AssetBars, recipe: FeatureRecipe
) -> None:
    write_bundle(
        store / "brain",
        brain_to_files(brain),
        card_of(
            "global-brain",
            "brain",
            brain.assets,
            **{FORECASTS: WALK, IN_CARD: recipe.to_json()},
        ),
    )
    write_bundle(
        store / "decision_rules",
        rules_to_files(draw_rules()),
        card_of("decision-rules", "decision rules", ASSETS),
    )
    learnt = np.flatnonzero(bars.is_labelled)
    members = {}
    for kind in WEIGHTS:
        told = FORECASTERS.model_dump(mode="json", include={"bars", "seed", kind})
        forecaster = make_forecaster(kind, FORECASTERS).fit(bars, learnt)
        members[kind] = StoredModel(
            card_of(f"btc-{kind}", kind, ("BTC",), **told), forecaster.to_files()
        )
        write_bundle(
            store / "forecasters/BTC" / kind, members[kind].files, members[kind].card
        )
    reading = Reading(
        recipe=recipe.to_json(), bars=FORECASTERS.bars, intervals=ConformalSettings()
    )
    write_ensemble(store, WEIGHTS, members, reading)


def members_in(store: Path) -> dict[str, StoredModel]:
    """Read BTC's forecasters."""
    return {kind: read_bundle(store / "forecasters/BTC" / kind) for kind in WEIGHTS}


def write_ensemble(
    store: Path,
    given: Mapping[str, float],
    members: Mapping[str, StoredModel],
    reading: Reading,
) -> None:
    """Weigh the members, BTC's forecasters; those of no weight are left out."""
    weights = {f"weight_{kind}": weight for kind, weight in given.items()}
    rows = [
        {
            "horizon": horizon,
            **weights,
            "weight_zero": 1 - sum(given.values()),
            "interval_width": HALF_WIDTH,
            "asset": "BTC",
        }
        for horizon in (1, 12)
    ]
    write_bundle(
        store / "forecasters/BTC/ensemble",
        rule_to_files(EnsembleRule.of(pd.DataFrame(rows), members, reading)),
        card_of("btc-ensemble", "ensemble", ("BTC",)),
    )


def configure(project: Any, features: dict[str, Any]) -> None:
    smoke = (project.folder / "conf/smoke/globals.yml").read_text(encoding="utf-8")
    shared = yaml.safe_load(smoke) | {"assets": list(ASSETS)}
    blocks = {
        "parameters_feature_engineering.yml": {"features": features},
        "parameters_asset_training.yml": {
            "forecasters": FORECASTERS.model_dump(mode="json")
        },
        "globals.yml": shared,
    }
    for file, block in blocks.items():
        project.configure(f"{ENVIRONMENT}/{file}", yaml.safe_dump(block))
