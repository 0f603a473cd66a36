"""The tab Monitor: metrics, invokes, and the way to their logs."""

import pytest
from playwright.sync_api import expect

HANDLER = """def handler(event, context):
    print("said", event["say"])
    if event["say"] == "fail":
        raise ValueError("as asked")
"""


def total(page, name):
    return page.get_by_test_id("totals").locator("dt", has_text=name).locator("xpath=following-sibling::dd[1]")


def test_metrics_invokes_and_logs(console, make_function):
    function = make_function(HANDLER)
    for word in ("hello", "fail", "world", "again"):
        function.invoke({"say": word})
    page = console.open(f"/functions/{function.name}/monitor")
    expect(total(page, "Invocations")).to_have_text("4")
    expect(total(page, "Errors")).to_have_text("1")
    expect(total(page, "Success rate")).to_have_text("75 %")
    expect(total(page, "Cold starts")).to_have_text("1")
    for title in ("Duration", "Throttles", "Concurrent executions", "Init duration", "Memory used"):
        expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()

    rows = page.get_by_role("table", name="Recent invocations").get_by_role("row")
    expect(rows).to_have_count(5)
    failed = rows.filter(has_text="Failed")
    expect(failed).to_have_count(1)
    failed.get_by_role("button").click()
    events = page.get_by_test_id("log-events")
    expect(events.get_by_text("ValueError: as asked")).to_be_visible()
    expect(events.get_by_text("said again")).to_have_count(0)

    page.get_by_role("button", name="Time range").first.click()
    page.get_by_label("Last week").check()
    page.get_by_role("button", name="Apply").click()
    expect(total(page, "Invocations")).to_have_text("4")


@pytest.fixture(scope="module")
def heard(make_function, lambda_):
    """A function that was called five times: twice by its alias, which is version 1."""
    function = make_function(HANDLER)
    lambda_.publish_version(FunctionName=function.name)
    lambda_.get_waiter("published_version_active").wait(
        FunctionName=function.name, Qualifier="1", WaiterConfig={"Delay": 0.05}
    )
    lambda_.create_alias(FunctionName=function.name, Name="live", FunctionVersion="1")
    for word in ("hello", "fail", "world"):
        function.invoke({"say": word})
    for word in ("by alias", "fail"):
        function.invoke({"say": word}, Qualifier="live")
    return function


class TestPointsLeadToLogs:
    def logs_are_shown(self, page, text):
        expect(page.get_by_test_id("log-events").get_by_text(text).first).to_be_visible()
        expect(page.get_by_role("button", name="Time range").last).not_to_contain_text("All time")
        expect(page.locator(".function-logs")).to_be_focused()

    def test_by_mouse(self, console, heard):
        page = console.open(f"/functions/{heard.name}/monitor")
        bar = page.get_by_role("application", name="Invocations", exact=True).locator("[class*=series--bar] rect").first
        bar.hover(force=True)
        bar.click(force=True)
        page.get_by_role("button", name="Show its logs").click()
        self.logs_are_shown(page, "said hello")

    def test_by_keyboard(self, console, heard):
        page = console.open(f"/functions/{heard.name}/monitor")
        chart = page.get_by_role("application", name="Errors", exact=True)
        chart.focus()
        popover = page.get_by_role("dialog")
        for _ in range(200):  # there are 60 points, and the arrow key goes round
            page.keyboard.press("ArrowLeft")
            if popover.get_by_text("Errors").count():
                break
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="Show its logs")).to_be_focused()
        page.keyboard.press("Enter")
        self.logs_are_shown(page, "ValueError: as asked")


def test_an_alias_has_metrics_of_its_own(console, heard):
    page = console.open(f"/functions/{heard.name}/monitor")
    expect(total(page, "Invocations")).to_have_text("5")
    page.get_by_role("button", name="Version or alias All versions").click()
    page.get_by_role("option", name="live").click()
    expect(total(page, "Invocations")).to_have_text("2")
    expect(total(page, "Success rate")).to_have_text("50 %")
    expect(total(page, "Cold starts")).to_have_text("1")
    expect(page.get_by_role("table", name="Recent invocations").get_by_role("row")).to_have_count(3)
    page = console.open(f"/functions/{heard.name}/monitor?qualifier=live")
    expect(total(page, "Invocations")).to_have_text("2")


def test_charts_stay_where_they_were_put(console, heard):
    page = console.open(f"/functions/{heard.name}/monitor")
    titles = page.get_by_role("heading", level=3)
    expect(titles.first).to_have_text("Invocations")
    page.get_by_role("button", name="Move Invocations").press("Enter")
    for key in ("ArrowRight", "ArrowRight", "Enter"):  # a chart takes two of four columns
        page.keyboard.press(key)
    page.get_by_role("button", name="Put the charts back").wait_for()
    page.reload()
    expect(titles.first).to_have_text("Duration")
    page.get_by_role("button", name="Put the charts back").click()
    expect(titles.first).to_have_text("Invocations")
