"""Publish, name, weigh, call and delete versions."""

from playwright.sync_api import expect


def test_versions_and_an_alias_with_weights(console, make_function, lambda_):
    function = make_function("def handler(event, context):\n    return context.function_version\n")
    page = console.open(f"/functions/{function.name}/versions")
    for number in ("1", "2"):
        page.get_by_role("button", name="Publish new version").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Description").fill(f"release {number}")
        dialog.get_by_role("button", name="Publish").click()
        page.get_by_role("row", name=f"release {number}").wait_for()
        lambda_.update_function_configuration(FunctionName=function.name, Timeout=4)
        lambda_.get_waiter("function_updated_v2").wait(FunctionName=function.name, WaiterConfig={"Delay": 0.05})

    page.get_by_role("tab", name="Aliases").click()
    page.get_by_role("button", name="Create alias").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("12")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_text("Value '12' at 'name' failed to satisfy constraint").first).to_be_visible()
    dialog.get_by_label("Name").fill("live")
    dialog.get_by_role("button", name="Version $LATEST").click()
    page.get_by_role("option", name="1", exact=True).click()
    dialog.get_by_role("button", name="Second version").click()
    page.get_by_role("option", name="2", exact=True).click()
    dialog.get_by_label("Share of the second version").fill("25")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("row", name="live")).to_contain_text("1 (75 %), 2 (25 %)")
    told = lambda_.get_alias(FunctionName=function.name, Name="live")
    assert told["RoutingConfig"] == {"AdditionalVersionWeights": {"2": 0.25}}

    page.get_by_role("button", name="Edit live").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Share of the second version")).to_have_value("25")
    dialog.get_by_role("button", name="Second version").click()
    page.get_by_role("option", name="None").click()
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("row", name="live").get_by_role("cell").first).to_have_text("1")

    page.get_by_role("link", name="live").click()
    page.get_by_text("This is version 1. It can be tested, not changed.").wait_for()
    page.get_by_role("tab", name="Configuration").click()
    page.get_by_role("heading", name="General configuration").wait_for()
    expect(page.get_by_role("button", name="Edit General configuration")).to_have_count(0)

    console.open(f"/functions/{function.name}/aliases")
    page.get_by_role("button", name="Delete alias live").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_text("No aliases").wait_for()
    page.get_by_role("tab", name="Versions").click()
    page.get_by_role("button", name="Delete version 1").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("row", name="release 1")).to_have_count(0)
    assert [each["Version"] for each in lambda_.list_versions_by_function(FunctionName=function.name)["Versions"]] == [
        "$LATEST",
        "2",
    ]
