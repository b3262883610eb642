"""A fitted mixture taken apart into what its parts have learnt, and put together again.

The parts are the asset's embedding, each expert, each expert's calibration, the gate,
the calibration of the whole, and its interval.
"""

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from fleet_kedro.models.calibration import PlattCalibrator
from fleet_kedro.models.embedding import AssetEmbedding
from fleet_kedro.models.gate import GatingNetwork
from fleet_kedro.models.learnt import Learnt, joined, parted
from fleet_kedro.models.mixture import PHYSICS_COLUMNS, MixtureOfExpertsEnsemble
from fleet_kedro.models.venn_abers import VennAbers


def take_apart(mixture: MixtureOfExpertsEnsemble) -> Learnt:
    """Return what a mixture has learnt, experts and judges."""
    check_is_fitted(mixture, ["experts_", "interval_"])
    calibrators = zip(mixture.experts_, mixture.calibrators_, strict=True)
    return joined(
        {
            "embedding": mixture.embedding_.learnt(),
            "experts": joined(
                {name: expert.learnt() for name, expert in mixture.experts_.items()}
            ),
            "calibrators": joined(
                {name: judge.learnt() for name, judge in calibrators}
            ),
            "gate": mixture.gate_.learnt(),
            "calibrator": mixture.calibrator_.learnt(),
            "interval": mixture.interval_.learnt(),
        }
    )


def put_together(
    mixture: MixtureOfExpertsEnsemble, learnt: Learnt
) -> MixtureOfExpertsEnsemble:
    """Let an unfitted mixture take over what one with its settings has learnt.

    Raises
    ------
    ValueError
        If a part is missing, one too many, or does not go with the others.
    """
    parts = parted(
        learnt,
        ("embedding", "experts", "calibrators", "gate", "calibrator", "interval"),
    )
    experts = parted(parts["experts"], mixture.experts)
    calibrators = parted(parts["calibrators"], mixture.experts)
    mixture.classes_ = np.array([False, True])
    mixture.embedding_ = AssetEmbedding(kind=mixture.use_asset_embedding).restore(
        parts["embedding"]
    )
    mixture.experts_ = {
        name: clone(expert).restore(experts[name])
        for name, expert in mixture.experts.items()
    }
    mixture.calibrators_ = [
        PlattCalibrator().restore(calibrators[name]) for name in mixture.experts
    ]
    mixture.gate_ = mixture.unfitted_gate().restore(parts["gate"])
    mixture.calibrator_ = PlattCalibrator().restore(parts["calibrator"])
    mixture.interval_ = VennAbers(effective_share=mixture.effective_share).restore(
        parts["interval"]
    )
    _check_gate(mixture.gate_, mixture)
    return mixture


def _check_gate(gate: GatingNetwork, mixture: MixtureOfExpertsEnsemble) -> None:
    """Hold the gate against what it reads and whom it weighs."""
    n_physics, width = len(PHYSICS_COLUMNS), mixture.embedding_.width_
    expected = (n_physics, n_physics + width, len(mixture.experts))
    found = (len(gate.mean_), *gate.coef_.shape)
    if found != expected:
        raise ValueError(
            f"The gate has {found} physics, inputs and experts, and the mixture "
            f"{expected}: take the files of one model."
        )
