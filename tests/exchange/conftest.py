"""The loopback exchange, as a package that every test here can import."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
