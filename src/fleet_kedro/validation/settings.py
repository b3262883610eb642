"""What a validation reports beside the walk itself."""

from pydantic import Field

from fleet_kedro.config import Config
from fleet_kedro.metrics.bootstrap import BlockBootstrap


class ReportSettings(Config):
    """Intervals, and the assets that are also walked on their own."""

    bootstrap: BlockBootstrap
    unrecorded_trials: int = Field(
        default=0,
        ge=0,
        description="Configurations that were scored on this market without a ledger.",
    )
    baseline_asset: str = Field(
        description="Its result in the fleet must reach that of a brain of its own."
    )
