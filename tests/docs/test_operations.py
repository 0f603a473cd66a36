"""docs/operations.md says what the code and the tests are."""

import re
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


class TestOperationsPage:
    def test_is_current(self):
        command = [sys.executable, "scripts/operations_table.py", "--check"]
        result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr

    def test_every_served_lambda_operation_has_a_test(self):
        page = (REPOSITORY / "docs" / "operations.md").read_text()
        section = page.partition("## lambda")[2].partition("\n## ")[0]
        untested = re.findall(r"^\| (\w+) \| served \|  \|$", section, re.MULTILINE)
        assert untested == []
