"""docs/configuration.md says what the command line says."""

import runpy
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


class TestConfigurationPage:
    def test_is_what_the_options_are(self):
        """If not: `make docs` writes it anew."""
        made = runpy.run_path(str(REPOSITORY / "scripts" / "configuration_page.py"))["page"]()
        assert (REPOSITORY / "docs" / "configuration.md").read_text() == made
