"""Which forecasters there are, and everything that decides what they learn."""

from collections.abc import Callable

from pydantic import Field

from fleet_kedro.config import Config
from fleet_kedro.models.forecasters.bars import BarSettings
from fleet_kedro.models.forecasters.base import Forecaster
from fleet_kedro.models.forecasters.informer import InformerForecaster, InformerSettings
from fleet_kedro.models.forecasters.kinds import KINDS, Kind
from fleet_kedro.models.forecasters.lightgbm_trees import (
    LightGBMForecaster,
    LightGBMSettings,
)
from fleet_kedro.models.forecasters.lstm import LSTMForecaster, LSTMSettings
from fleet_kedro.models.forecasters.multitask import (
    MultiTaskForecaster,
    MultiTaskSettings,
)
from fleet_kedro.models.forecasters.random_forest import (
    RandomForestForecaster,
    RandomForestSettings,
)
from fleet_kedro.models.forecasters.sequence import SequenceSettings
from fleet_kedro.models.forecasters.transformer import (
    TransformerForecaster,
    TransformerSettings,
)
from fleet_kedro.models.forecasters.xgboost_trees import (
    XGBoostForecaster,
    XGBoostSettings,
)


class ForecasterSettings(Config):
    """What forecasters read, and how each of them learns."""

    bars: BarSettings
    random_forest: RandomForestSettings = RandomForestSettings()
    xgboost: XGBoostSettings = XGBoostSettings()
    lightgbm: LightGBMSettings = LightGBMSettings()
    lstm: LSTMSettings = LSTMSettings()
    transformer: TransformerSettings = TransformerSettings()
    multitask: MultiTaskSettings = MultiTaskSettings()
    informer: InformerSettings = InformerSettings()
    seed: int = Field(default=0, ge=0, description="Of every forecaster.")


def make_forecaster(kind: Kind, settings: ForecasterSettings) -> Forecaster:
    """Return a forecaster that has learnt nothing yet; one seed serves all of them."""
    seeded = settings.model_copy(
        update={name: _seeded(getattr(settings, name), settings.seed) for name in KINDS}
    )
    untrained: dict[Kind, Callable[[], Forecaster]] = {
        "random_forest": lambda: RandomForestForecaster(seeded.random_forest),
        "xgboost": lambda: XGBoostForecaster(seeded.xgboost),
        "lightgbm": lambda: LightGBMForecaster(seeded.lightgbm),
        "lstm": lambda: LSTMForecaster(seeded.lstm),
        "transformer": lambda: TransformerForecaster(seeded.transformer),
        "multitask": lambda: MultiTaskForecaster(seeded.multitask),
        "informer": lambda: InformerForecaster(seeded.informer),
    }
    return untrained[kind]()


def _seeded(own: Config, seed: int) -> Config:
    """Return a forecaster's settings with the seed; networks keep it in the loop's."""
    if isinstance(own, SequenceSettings):
        training = own.training.model_copy(update={"seed": seed})
        return own.model_copy(update={"training": training})
    return own.model_copy(update={"seed": seed})
