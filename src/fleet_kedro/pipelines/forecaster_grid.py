"""Which forecasters of which assets there are to train.

A node for each asset and model makes the shape of the pipeline depend on configuration,
which Kedro builds pipelines without. So the hook that sees the configuration first
hands on these two lists, and nothing else, before the pipelines are built.
"""

from contextvars import ContextVar

from pydantic import Field, field_validator

from fleet_kedro.config import Config
from fleet_kedro.models.forecasters.kinds import KINDS, Kind


class ForecasterGrid(Config):
    """Every asset gets every model."""

    assets: tuple[str, ...] = Field(
        default=("BTC", "ETH", "SOL"), strict=False, min_length=1
    )
    models: tuple[Kind, ...] = Field(default=KINDS[:-1], strict=False, min_length=1)

    @field_validator("assets", "models")
    @classmethod
    def _names_each_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) < len(names):
            raise ValueError(f"{', '.join(names)} names one twice: name each once.")
        return names


configured_grid: ContextVar[ForecasterGrid] = ContextVar(
    "configured_grid",
    default=ForecasterGrid(),  # noqa: B039  # frozen
)
