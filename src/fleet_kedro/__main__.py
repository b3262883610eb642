"""Run the project as a module: ``python -m fleet_kedro``."""

import sys
from pathlib import Path

from kedro.framework.cli.utils import find_run_command
from kedro.framework.project import configure_project


def main(*args: str) -> None:
    """Hand the arguments to Kedro's ``run``."""
    package_name = Path(__file__).parent.name
    configure_project(package_name)
    find_run_command(package_name)(list(args) or sys.argv[1:])


if __name__ == "__main__":
    main()
