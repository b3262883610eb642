"""Project settings: where configuration lives and what Kedro calls on the way."""

import os

from kedro.config import OmegaConfigLoader

from fleet_kedro.hooks import AskForWhatASignalNeeds, CheckParameters, NameTheReport

HOOKS = (CheckParameters(), AskForWhatASignalNeeds(), NameTheReport())

CONFIG_LOADER_CLASS = OmegaConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "custom_resolvers": {"env": lambda name, default="": os.environ.get(name, default)},
}
