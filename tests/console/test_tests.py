"""The tab Test: named events, how they are sent, and what is shown of the answer."""

import json

import pytest
from playwright.sync_api import expect

STREAMING = """import time

def handler(event, context):
    yield "the first part, "
    time.sleep(event["wait"])
    yield "the last part"
"""
FAILING = """def divide(number):
    return 1 / number

def handler(event, context):
    return divide(0)
"""


def visible(page, text):
    return page.get_by_text(text).locator("visible=true").first


def send(page, event, kind=None):
    page.locator(".cm-content").locator("visible=true").first.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(json.dumps(event))
    if kind:
        page.get_by_label(kind).check()
    page.get_by_role("button", name="Test", exact=True).click()


def save_event(page, name):
    page.get_by_label("Event name").fill(name)
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text(f"Saved the event {name}.").wait_for()


class TestEvents:
    def test_private_events_stay_in_the_browser(self, console, echo):
        page = console.open(f"/functions/{echo.name}/test")
        save_event(page, "mine")
        page.reload()
        expect(page.get_by_label("Event name")).to_have_value("mine")
        page.get_by_role("button", name="Delete event").click()
        page.get_by_text("Deleted the event mine.").wait_for()
        kept = page.evaluate(f"localStorage['firefork.events.us-east-1.{echo.name}']")
        assert kept == "[]"

    def test_shareable_events_are_what_sam_reads(self, console, new_console, server, echo):
        page = console.open(f"/functions/{echo.name}/test")
        page.get_by_label("Shareable").check()
        save_event(page, "ours")
        schema = server.client("schemas").describe_schema(
            RegistryName="lambda-testevent-schemas", SchemaName=f"_{echo.name}-schema"
        )
        examples = json.loads(schema["Content"])["components"]["examples"]
        assert list(examples) == ["ours"]
        other = new_console().open(f"/functions/{echo.name}/test")
        other.get_by_role("button", name="Event New event").click()
        other.get_by_role("option", name="ours").click()
        expect(other.get_by_label("Shareable")).to_be_checked()
        other.get_by_role("button", name="Delete event").click()
        other.get_by_text("Deleted the event ours.").wait_for()

    def test_json_is_checked_as_one_types(self, console, echo):
        page = console.open(f"/functions/{echo.name}/test")
        page.locator(".cm-content").locator("visible=true").first.click()
        page.keyboard.press("Control+a")
        page.keyboard.insert_text('{"a": ')
        expect(page.get_by_text("Not JSON:")).to_be_visible()
        expect(page.get_by_role("button", name="Test", exact=True)).to_be_disabled()


class TestAnswers:
    def test_a_stream_appears_as_it_streams(self, console, make_function):
        function = make_function(STREAMING)
        page = console.open(f"/functions/{function.name}/test")
        send(page, {"wait": 3}, "Show parts as they come: streaming")
        answer = page.get_by_test_id("answer").locator("visible=true").first
        expect(answer).to_have_text("the first part, ")
        visible(page, "Running the event").wait_for()
        expect(answer).to_have_text("the first part, the last part")
        visible(page, "The function succeeded").wait_for()
        expect(page.get_by_text("Billed duration").locator("visible=true").first).to_be_visible()

    def test_a_stack_trace_leads_into_the_editor(self, console, make_function):
        function = make_function(FAILING)
        page = console.open(f"/functions/{function.name}/test")
        send(page, {})
        visible(page, "The function failed on the event").wait_for()
        visible(page, "ZeroDivisionError").wait_for()
        page.get_by_test_id("trace").get_by_role("button", name="line 2").click()
        expect(page.get_by_role("tab", name="Code")).to_have_attribute("aria-selected", "true")
        expect(page.locator(".workbench .cm-activeLine")).to_have_text("    return 1 / number")

    @pytest.mark.parametrize(
        ("kind", "told"),
        [("Queue it: asynchronous", "is queued."), ("Only check whether I may", "You may invoke this function.")],
    )
    def test_other_invocation_types(self, console, echo, kind, told):
        page = console.open(f"/functions/{echo.name}/test")
        send(page, {}, kind)
        visible(page, told).wait_for()

    def test_a_version_is_called(self, console, make_function, lambda_):
        function = make_function("def handler(event, context):\n    return 'version ' + context.function_version\n")
        lambda_.publish_version(FunctionName=function.name)
        page = console.open(f"/functions/{function.name}/test")
        page.get_by_role("button", name="Version or alias").click()
        page.get_by_role("option", name="1", exact=True).click()
        send(page, {})
        expect(page.get_by_test_id("answer").locator("visible=true").first).to_have_text('"version 1"')
