"""docs/promises.md: no promise without a test that is really there."""

import ast
import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
ROW = re.compile(r"\| (?P<promise>[^|]+) \| `(?P<test>[^`|]+)` \|")


def rows():
    """Promise and test of each line of the table."""
    lines = (REPOSITORY / "docs" / "promises.md").read_text().splitlines()
    table = [line for line in lines if line.startswith("|")][2:]
    return [(line, ROW.fullmatch(line)) for line in table]


def defined(path):
    """The test functions of a file, as pytest names them, and the classes that hold some."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            methods = [one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
            found |= {f"{node.name}::{one.name}" for one in methods}
    tests = {name for name in found if name.rpartition("::")[2].startswith("test_")}
    return tests | {name.partition("::")[0] for name in tests if "::" in name}


class TestPromises:
    def test_every_row_is_a_promise_and_a_test(self):
        assert len(rows()) > 10
        assert [line for line, row in rows() if row is None] == []

    def test_every_named_test_exists(self):
        missing = []
        for _, row in rows():
            file, _, test = row["test"].partition("::")
            path = REPOSITORY / file
            if path.is_dir():  # every test below it
                there = any(defined(inside) for inside in path.rglob("test_*.py"))
            else:
                there = path.is_file() and (test in defined(path) if test else bool(defined(path)))
            if not there:
                missing.append(row["test"])
        assert missing == []

    def test_no_promise_is_made_twice(self):
        promises = [row["promise"] for _, row in rows()]
        assert sorted(set(promises)) == sorted(promises)


class TestLinks:
    def test_links_between_pages_lead_somewhere(self):
        """Relative links of README.md, CHANGELOG.md and docs/."""
        pages = [REPOSITORY / "README.md", REPOSITORY / "CHANGELOG.md", *(REPOSITORY / "docs").rglob("*.md")]
        broken = []
        for page in pages:
            for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
                if "://" not in target and not (page.parent / target).exists():
                    broken.append(f"{page.relative_to(REPOSITORY)}: {target}")
        assert broken == []
