"""The register: every step of the project that could leak, each with its law."""

from fleet_kedro.audit.settings import AuditSettings
from fleet_kedro.audit.step import Step
from fleet_kedro.audit.steps.features import feature_steps
from fleet_kedro.audit.steps.fits import fit_steps
from fleet_kedro.audit.steps.market import market_steps
from fleet_kedro.audit.steps.walk import walk_steps

__all__ = ["project_steps"]


def project_steps(settings: AuditSettings) -> list[Step]:
    """Return all steps, in the order in which data flow through them."""
    return [
        *market_steps(settings),
        *feature_steps(settings),
        *fit_steps(),
        *walk_steps(settings),
    ]
