"""Physics of a price path: roughness, disorder, return to the mean, warning signs."""

from fleet_kedro.features.physics.autocorrelation import autocorrelation
from fleet_kedro.features.physics.elastic import ElasticFeatures, elastic_features
from fleet_kedro.features.physics.entropy import permutation_entropy
from fleet_kedro.features.physics.fractal import fractal_dimension
from fleet_kedro.features.physics.hurst import hurst
from fleet_kedro.features.physics.ornstein_uhlenbeck import (
    OrnsteinUhlenbeck,
    ornstein_uhlenbeck,
)
from fleet_kedro.features.physics.stability import stability_warning
from fleet_kedro.features.physics.state import (
    Physics,
    PhysicsFeatures,
    physics_features,
)

__all__ = [
    "ElasticFeatures",
    "OrnsteinUhlenbeck",
    "Physics",
    "PhysicsFeatures",
    "autocorrelation",
    "elastic_features",
    "fractal_dimension",
    "hurst",
    "ornstein_uhlenbeck",
    "permutation_entropy",
    "physics_features",
    "stability_warning",
]
