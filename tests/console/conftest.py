"""One browser for all tests of the console, signed in once, and a page for each."""

import json
import shutil
import subprocess
import sys

import pytest
from playwright.sync_api import expect, sync_playwright

from firefork.api.platform import CONSOLE_DIR

CHROMIUM = shutil.which("chromium")
expect.set_options(timeout=30_000)


def breaks_policy(text):
    """The editor also writes its tab width as an inline style; the policy refuses that, and style.css has the width."""
    return "Content Security Policy" in text and not text.startswith("Applying inline style")


@pytest.fixture(scope="package")
def browser():
    """Ended with the console's tests: Playwright's event loop runs as long as it is there, and lets no other one."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: scripts/system-packages test installs it")
    if not (CONSOLE_DIR / "index.html").exists():
        pytest.skip("the console is not built: make console")
    with sync_playwright() as playwright:
        # Inside a container, and as root, Chromium has no sandbox of its own; it opens nothing but our server.
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="session")
def new_link(server):
    """Makes one-time sign-in links, as a person gets them in the terminal."""

    def make():
        command = [sys.executable, "-m", "firefork.cli.main", "console", "--data-dir", str(server.data_dir)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    return make


@pytest.fixture
def new_page(browser):
    """Opens pages whose content policy is never broken and whose scripts never fail."""
    contexts, problems = [], []

    def open_page(**options):
        settings = {"locale": "en-US", "viewport": {"width": 1280, "height": 900}, **options}
        contexts.append(browser.new_context(**settings))
        page = contexts[-1].new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda told: problems.append(told.text) if breaks_policy(told.text) else None)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


@pytest.fixture(scope="package")
def session(browser, new_link):
    """What the tab keeps of a sign-in: short-lived credentials."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(new_link())
    page.wait_for_url("**/functions")
    kept = page.evaluate("({...sessionStorage})")
    context.close()
    return kept


GO = """(address) => {
    history.pushState({}, '', address);
    dispatchEvent(new PopStateEvent('popstate'));
}"""


class Console:
    """A page that is signed in, and how to get about in it."""

    def __init__(self, page, root):
        self.page, self.root = page, root

    def open(self, path):
        self.page.goto(self.root + path)
        return self.page

    def go(self, path):
        """Another page without loading the console anew, as a followed link does it."""
        self.page.evaluate(GO, self.root + path)

    def configuration(self, function, section):
        return self.open(f"/functions/{function}/configuration/{section}")

    def saved(self, title):
        self.page.get_by_text(f"{title}: saved.").first.wait_for()


@pytest.fixture
def new_console(new_page, session, server):
    """Makes consoles with a context of their own: a language, a theme, a width."""

    def make(**options):
        page = new_page(**options)
        page.add_init_script(f"if (!sessionStorage.length) Object.assign(sessionStorage, {json.dumps(session)})")
        return Console(page, f"{server.endpoint}/_firefork/console")

    return make


@pytest.fixture
def console(new_console):
    return new_console()


@pytest.fixture(scope="session")
def echo(make_function):
    """A function that answers its event; tests that change it leave what others need."""
    return make_function("def handler(event, context):\n    print('echoed', event)\n    return event\n")
