"""Log groups: the list, a search by pattern, retention, and the live tail."""

import pytest
from playwright.sync_api import expect


@pytest.fixture(scope="module")
def shouting(make_function):
    """A function that logs what it is told."""
    function = make_function("def handler(event, context):\n    print(event['say'])\n")
    for word in ("ERROR one", "quiet two", "ERROR three"):
        function.invoke({"say": word})
    return function


def test_search_by_pattern(console, shouting):
    page = console.open("/log-groups")
    page.get_by_label("Find log groups").fill(shouting.name)
    page.get_by_role("link", name=f"/aws/lambda/{shouting.name}").click()
    events = page.get_by_test_id("log-events")
    expect(events.get_by_text("quiet two")).to_be_visible()
    page.get_by_label("Filter pattern").fill("ERROR -three")
    page.get_by_role("button", name="Search").click()
    expect(events.get_by_text("quiet two")).to_have_count(0)
    expect(events.locator("pre")).to_have_text(["ERROR one\n"])
    page.get_by_label("Filter pattern").fill("{ $.level = }")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("Invalid filter pattern").first).to_be_visible()


def test_live_tail_shows_what_comes(console, shouting):
    page = console.open(f"/log-groups/%2Faws%2Flambda%2F{shouting.name}")
    page.get_by_test_id("log-events").get_by_text("quiet two").wait_for()
    with page.expect_response(lambda answer: answer.request.headers.get("x-amz-target", "").endswith("StartLiveTail")):
        page.get_by_label("Live tail").check()
    page.get_by_text("New events appear as they come.").wait_for()
    shouting.invoke({"say": "while somebody looks"})
    expect(page.get_by_test_id("log-events").get_by_text("while somebody looks")).to_have_count(1)


def test_retention(console, shouting, logs):
    page = console.open(f"/log-groups/%2Faws%2Flambda%2F{shouting.name}")
    page.get_by_role("button", name="Retention").click()
    page.get_by_role("option", name="7 days", exact=True).click()
    expect(page.get_by_role("button", name="Retention 7 days")).to_be_visible()
    (group,) = logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{shouting.name}")["logGroups"]
    assert group["retentionInDays"] == 7


class TestLogInsights:
    def test_a_query_from_a_sample_leads_to_the_log_of_a_request(self, console, shouting):
        page = console.open(f"/log-groups/%2Faws%2Flambda%2F{shouting.name}")
        page.get_by_role("link", name="Query in Log Insights").click()
        page.get_by_role("button", name="Samples").click()
        page.get_by_role("menuitem", name="The slowest invocations").click()
        page.get_by_role("button", name="Run query").click()
        results = page.get_by_role("table", name="Results")
        request = results.get_by_role("link").first
        request_id = request.inner_text()
        request.click()
        expect(page.get_by_label("Filter pattern")).to_have_value(f'"{request_id}"')
        page.get_by_test_id("log-events").get_by_text(f"REPORT RequestId: {request_id}").wait_for()

    def test_what_is_wrong_with_a_query_stands_beside_it(self, console, shouting):
        page = console.open(f"/log-insights?group=%2Faws%2Flambda%2F{shouting.name}")
        query = page.get_by_label("Query", exact=True)
        query.fill("fields @message | nonsense")
        query.press("Control+Enter")
        page.get_by_text("unexpected symbol found nonsense at line 1").wait_for()
        query.fill("stats count(*) as lines by @message like /ERROR/ as loud")
        query.press("Control+Enter")
        expect(page.get_by_role("table", name="Results").get_by_role("columnheader")).to_have_count(2)
