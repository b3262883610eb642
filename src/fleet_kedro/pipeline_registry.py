"""All pipelines by name; a name is the package that makes it."""

from kedro.framework.project import find_pipelines
from kedro.pipeline import Pipeline


def register_pipelines() -> dict[str, Pipeline]:
    """Find every pipeline; the default is the main job."""
    pipelines = find_pipelines(raise_errors=True)
    return {**pipelines, "__default__": pipelines["global_validation"]}
