"""docs/lifecycle.md shows the tables that the engine runs on."""

import runpy
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


class TestLifecyclePage:
    def test_is_current(self):
        script = runpy.run_path(str(REPOSITORY / "scripts" / "lifecycle_page.py"))
        assert (REPOSITORY / "docs" / "lifecycle.md").read_text() == script["page"]()
