"""All pipelines by name; a name is the package that makes it."""

from kedro.framework.project import find_pipelines
from kedro.pipeline import Pipeline


def register_pipelines() -> dict[str, Pipeline]:
    """Find every pipeline, or those that a run names; the default is the main job."""
    pipelines = find_pipelines(raise_errors=True)
    main = pipelines.get("global_validation")
    return pipelines if main is None else {**pipelines, "__default__": main}
