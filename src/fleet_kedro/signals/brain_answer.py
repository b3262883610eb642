"""What the global brain says of each asset's newest bar, and why it may say nothing."""

from collections.abc import Mapping
from typing import NamedTuple

from fleet_kedro.features.lags import LAGS
from fleet_kedro.features.newest import NewestFeatures
from fleet_kedro.features.recipe import IN_CARD, FeatureRecipe
from fleet_kedro.models.brain_files import brain_from_files
from fleet_kedro.models.trained_brain import BrainForecast
from fleet_kedro.store.card import ModelCard
from fleet_kedro.store.serving import Served

BRAIN = "global-brain"
LATENTS_TOLD = 5
_GATE = "gate_"


class BrainAnswer(NamedTuple):
    """The brain's view of now, by asset.

    Attributes
    ----------
    learnt
        Assets that it can forecast; none where there is no brain.
    probability
        That a trade earns its costs; an asset whose newest bar it cannot use, because
        something behind it is unknown, is not there.
    gate_weights
        By expert.
    top_latents
        Names and values of the latents that moved the forecast most, largest first.
    card
        Who it is; None where there is no brain.
    trouble
        Why there is no brain, in a sentence; empty where there is one.
    """

    learnt: tuple[str, ...]
    probability: Mapping[str, float]
    gate_weights: Mapping[str, Mapping[str, float]]
    top_latents: Mapping[str, tuple[tuple[str, float], ...]]
    card: ModelCard | None
    trouble: str

    @classmethod
    def silent(cls, trouble: str) -> "BrainAnswer":
        """Return the answer of a brain that is not there."""
        return cls((), {}, {}, {}, None, trouble)


def ask_brain(newest: NewestFeatures, served: Served) -> BrainAnswer:
    """Let the brain of a stage forecast the newest bar of every asset.

    A brain that is missing, damaged or without a recipe of its features costs its
    answer, not the signal.
    """
    try:
        model = served(BRAIN)
        brain = brain_from_files(model.files)
        # A row is forecast from a window of the pattern, and from its lags.
        n_rows = max(brain.settings.pattern_bars, max(LAGS) + 1)
        recipe = FeatureRecipe.read(model.card.parameters.get(IN_CARD))
        loaders = {
            asset: table.tail(n_rows).reset_index(drop=True).copy
            for asset, table in newest.tables(recipe).items()
        }
        said = brain.forecast(loaders, last_bars=1)
    except ValueError as error:
        return BrainAnswer.silent(f"The brain is not used: {error}")
    return _answer(model.card, brain.assets, said)


def _answer(
    card: ModelCard, learnt: tuple[str, ...], said: BrainForecast
) -> BrainAnswer:
    table = said.table.set_index("asset")
    gates = [name for name in table.columns if name.startswith(_GATE)]
    experts = [name.removeprefix(_GATE) for name in gates]
    weights = table[gates].to_numpy().tolist()
    return BrainAnswer(
        learnt,
        {str(asset): float(p) for asset, p in table["probability"].items()},
        {
            str(asset): dict(zip(experts, own, strict=True))
            for asset, own in zip(table.index, weights, strict=True)
        },
        {
            str(asset): tuple(
                zip(own["latent"], map(float, own["value"]), strict=True)
            )[:LATENTS_TOLD]
            for asset, own in said.latents.groupby("asset", sort=False)
        },
        card,
        "",
    )
