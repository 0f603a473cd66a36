"""The console in a browser, against a real server: what a newcomer does first, without reading anything."""

import shutil
import subprocess
import sys

import pytest
from playwright.sync_api import expect, sync_playwright

from firefork.api.platform import CONSOLE_DIR

CHROMIUM = shutil.which("chromium")
EDITED = """def lambda_handler(event, context):
    print("edited code runs")
    return {"edited": event["key1"]}
"""


def breaks_policy(text):
    """The editor also writes its tab width as an inline style; the policy refuses that, and style.css has the width."""
    return "Content Security Policy" in text and not text.startswith("Applying inline style")


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: scripts/system-packages test installs it")
    if not (CONSOLE_DIR / "index.html").exists():
        pytest.skip("the console is not built: make console")
    with sync_playwright() as playwright:
        # Inside a container, and as root, Chromium has no sandbox of its own; it opens nothing but our server.
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def sign_in_link(server):
    command = [sys.executable, "-m", "firefork.cli.main", "console", "--data-dir", str(server.data_dir)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def page(browser):
    """A page in English whose content policy is never broken and whose scripts never fail."""
    context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900})
    made = context.new_page()
    problems = []
    made.on("pageerror", lambda error: problems.append(str(error)))
    made.on("console", lambda told: problems.append(told.text) if breaks_policy(told.text) else None)
    yield made
    context.close()
    assert problems == []


class TestFirstSteps:
    def test_create_test_edit_test_again_and_read_the_log(self, page, sign_in_link, lambda_, logs):
        page.goto(sign_in_link)
        page.get_by_role("link", name="Create function").first.click()
        page.get_by_label("Function name").fill("first-steps")
        page.get_by_role("button", name="Create function").click()
        page.get_by_role("tab", name="Test").click()
        page.get_by_label("Event name").fill("test")
        page.get_by_role("button", name="Save", exact=True).click()
        page.get_by_text("Saved the event test.").wait_for()
        page.get_by_role("button", name="Test", exact=True).click()
        page.get_by_text("The function succeeded on the event test.").locator("visible=true").first.wait_for()
        answer = page.get_by_test_id("answer").locator("visible=true").first
        expect(answer).to_contain_text("Hello from Lambda!")
        assert lambda_.get_function_configuration(FunctionName="first-steps")["Runtime"] == "python3.12"

        page.get_by_role("tab", name="Code").click()
        page.locator(".workbench .cm-content").click()
        page.keyboard.press("Control+a")
        page.keyboard.insert_text(EDITED)
        page.get_by_text("Changes are not deployed").wait_for()
        page.keyboard.press("Control+s")
        page.get_by_text("Live since").wait_for()
        page.get_by_role("button", name="Test with test").click()
        expect(answer).to_contain_text('"edited": "value1"')

        page.get_by_role("link", name="/aws/lambda/first-steps").click()
        page.get_by_test_id("log-events").get_by_text("edited code runs").wait_for()
        events = logs.filter_log_events(logGroupName="/aws/lambda/first-steps")["events"]
        assert "edited code runs\n" in [event["message"] for event in events]

    def test_a_used_link_says_so_and_a_key_signs_in(self, page, sign_in_link, server):
        page.goto(sign_in_link)
        page.get_by_role("heading", name="Functions").wait_for()
        page.evaluate("sessionStorage.clear()")
        page.goto("about:blank")
        page.goto(sign_in_link)
        page.get_by_text("This sign-in link was used or has expired.").wait_for()
        key, secret = server.keys()
        page.get_by_label("Access key ID").fill(key)
        page.get_by_label("Secret access key").fill(secret)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", name="Functions").wait_for()
        stored = page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}])")
        assert secret not in stored
