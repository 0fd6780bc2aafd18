"""Books are built as the tests of the models build theirs."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "dbt"))
