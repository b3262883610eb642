"""What the global brain is made of: its parameters, each named once."""

from pydantic import Field, field_validator

from fleet_kedro.config import Config
from fleet_kedro.labels.forward_return import Label
from fleet_kedro.models.embedding import EmbeddingKind
from fleet_kedro.models.experts import EXPERT_COLUMNS, ExpertsSettings, build_experts
from fleet_kedro.models.mixture import MixtureOfExpertsEnsemble
from fleet_kedro.refine.tensor_flex import TensorFlexRefiner


class RefinerSettings(Config):
    """How thousands of columns become a few latents."""

    n_latents: int = Field(ge=1)
    max_cluster_size: int = Field(ge=2)
    variance_kept: float = Field(gt=0, le=1)
    link_block_days: int = Field(
        ge=1, description="Time blocks across which a link must keep its sign."
    )

    def unfitted(self) -> TensorFlexRefiner:
        """Return the refiner that these settings describe."""
        return TensorFlexRefiner(
            n_latents=self.n_latents,
            max_cluster_size=self.max_cluster_size,
            variance_kept=self.variance_kept,
        )


class BrainSettings(Config):
    """Everything that decides what the brain learns from given features and rows."""

    label: Label
    refiner: RefinerSettings
    experts: ExpertsSettings
    relative_experts: tuple[str, ...] = Field(
        default=("trend", "surface"),
        strict=False,
        description="Experts that learn from outcomes held against the fleet's.",
    )
    use_asset_embedding: EmbeddingKind = Field(
        description="What gate and trees know of the asset: off, one_hot, learned."
    )
    use_energy: bool = Field(description="Rows of high energy weigh up to twice.")
    mask_chaos: bool = Field(description="Rows under the warning weigh nothing.")
    gate_penalty: float = Field(gt=0, description="L2 penalty of the gate.")
    gate_balance: float = Field(ge=0, description="Pull of the gate to equal weights.")
    surface_signals: tuple[str, ...] = Field(
        strict=False, min_length=1, description="What the Surface expert reads."
    )
    pattern_bars: int = Field(ge=2, description="Window of the Pattern expert.")
    most_rows: int | None = Field(
        default=48_000,
        ge=1_000,
        description="Rows that experts learn from, evenly drawn; null: all.",
    )
    seed: int = Field(ge=0)

    @field_validator("relative_experts")
    @classmethod
    def _are_experts(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in names if name not in EXPERT_COLUMNS]
        if unknown:
            raise ValueError(
                f"no expert is called {', '.join(unknown)}; "
                f"there are {', '.join(EXPERT_COLUMNS)}"
            )
        return names

    def unfitted(self, n_assets: int) -> MixtureOfExpertsEnsemble:
        """Return the mixture that these settings describe, for rows of ``n_assets``."""
        purge_rows = n_assets * self.label.last_known_offset_bars
        experts = build_experts(self.experts, self.seed)
        experts["pattern"].set_params(purge_rows=purge_rows)
        return MixtureOfExpertsEnsemble(
            experts=experts,
            columns=EXPERT_COLUMNS,
            relative_experts=self.relative_experts,
            use_asset_embedding=self.use_asset_embedding,
            gate_penalty=self.gate_penalty,
            gate_balance=self.gate_balance,
            purge_rows=purge_rows,
            # Labels of one asset that lie less than a horizon apart share candles.
            effective_share=1.0 / self.label.horizon_bars,
        )
