"""The tab Monitor: metrics, invokes, and the way to their logs."""

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
    expect(events.get_by_text("said hello")).to_have_count(0)

    page.get_by_role("button", name="Time range").click()
    page.get_by_label("Last week").check()
    page.get_by_role("button", name="Apply").click()
    expect(total(page, "Invocations")).to_have_text("4")
    # From the first point, one step to the left is the last one.
    page.get_by_role("application", name="Invocations").first.focus()
    page.keyboard.press("ArrowLeft")
    page.get_by_role("button", name="Show its logs").click()
    expect(events.get_by_text("said hello")).to_be_visible()
