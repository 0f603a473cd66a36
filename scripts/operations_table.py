"""Writes docs/operations.md: every operation of the served services, whether it is served, and the tests that call it.

python scripts/operations_table.py           write the page
python scripts/operations_table.py --check   exit with 1 if the page is not current
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import botocore.session
from botocore import xform_name

import firefork.api
from firefork.aws import models

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "operations.md"
HEAD = """# Operations

Every operation of the AWS services that Firefork serves, as the installed botocore knows them. Made by
`python scripts/operations_table.py`; a test checks that it is current.

*Served* means that the operation works, with AWS's checks and errors. One that is *not yet* served is answered with
`NotImplementedException` (HTTP status 501), never with an empty success. A test sends valid and invalid requests to all
of them (`tests/api/test_fuzz.py`); the tests named below check what each one does.
"""


def services() -> dict[str, ModuleType]:
    """The package of each service, by botocore's name."""
    packages = (module.name for module in pkgutil.iter_modules(firefork.api.__path__) if module.ispkg)
    known = botocore.session.Session().get_available_services()  # the console's package is no service
    names = [name for name in packages if name.rstrip("_") in known]
    return {name.rstrip("_"): importlib.import_module(f"firefork.api.{name}") for name in names}


def served(package: ModuleType) -> set[str]:
    """Method names of the classes that answer a service's operations."""
    methods: set[str] = set()
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        for _, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if kind.__module__ == module.name:
                methods.update(method for method, _ in inspect.getmembers(kind, inspect.isfunction))
    return methods


def tests_of(service: str, package: ModuleType, operation: str, texts: dict[str, str]) -> list[str]:
    """The test files that call an operation: of a client, or as an AWS CLI command.

    Only files that have to do with the service count, since services share names of operations (TagResource).
    """
    folder = package.__name__.rpartition(".")[2]
    method, command = xform_name(operation), xform_name(operation, "-")
    concerned = re.compile(rf"\b{folder}\.\w|client\(\"{service}\"|\"{service}\", \"|^{service} ", re.MULTILINE)
    called = re.compile(
        rf"\.{method}\b|paginator\(\"{method}\"|\"{service}\", \"{command}\"|^{service} {command}\b", re.MULTILINE
    )
    return [
        path
        for path, text in texts.items()
        if path.startswith(("tests/api/", "tests/e2e/"))
        and (f"/{folder}/" in path or concerned.search(text))
        and called.search(text)
    ]


def page() -> Iterator[str]:
    yield HEAD
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    texts = {str(path.relative_to(ROOT)): path.read_text() for path in files}
    for service, package in sorted(services().items()):
        names = sorted(models.service_model(service).operation_names)
        methods = served(package)
        count = sum(xform_name(name) in methods for name in names)
        yield f"\n## {service}: {count} of {len(names)}\n\n| operation | state | tests |\n|---|---|---|\n"
        for name in names:
            method = xform_name(name)
            state = "served" if method in methods else "not yet"
            tests = (
                ", ".join(f"`{path}`" for path in tests_of(service, package, name, texts)) if method in methods else ""
            )
            yield f"| {name} | {state} | {tests} |\n"


def main() -> int:
    text = "".join(page())
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text)
        return 0
    if PAGE.read_text() != text:
        print(f"{PAGE.relative_to(ROOT)} is not current: run python scripts/operations_table.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
