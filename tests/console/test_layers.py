"""Publish a layer, publish it anew, lay it below a function, delete a version."""

from playwright.sync_api import expect


def test_from_a_new_layer_to_its_use(console, make_function, zipped, lambda_):
    page = console.open("/layers")
    page.get_by_role("button", name="Create layer").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("console-greetings")
    dialog.locator("input[type=file]").set_input_files(
        {"name": "broken.zip", "mimeType": "application/zip", "buffer": b"not a zip"}
    )
    dialog.get_by_role("button", name="Publish").click()
    expect(dialog.get_by_text("Could not unzip uploaded file").first).to_be_visible()
    dialog.locator("input[type=file]").set_input_files(
        {
            "name": "layer.zip",
            "mimeType": "application/zip",
            "buffer": zipped({"python/greetings.py": "WORD = 'from the layer'\n"}),
        }
    )
    dialog.get_by_role("button", name="Publish").click()
    page.get_by_role("link", name="console-greetings").click()

    page.get_by_role("button", name="Publish new version").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Description").fill("the second")
    dialog.locator("input[type=file]").set_input_files(
        {
            "name": "layer.zip",
            "mimeType": "application/zip",
            "buffer": zipped({"python/greetings.py": "WORD = 'from version 2'\n"}),
        }
    )
    dialog.get_by_role("button", name="Publish").click()
    page.get_by_role("row", name="the second").wait_for()

    function = make_function("import greetings\n\ndef handler(event, context):\n    return greetings.WORD\n")
    console.open(f"/functions/{function.name}/code")
    page.get_by_role("button", name="Edit Layers").click()
    layers = page.get_by_role("form", name="Layers")
    layers.get_by_role("button", name="Add a layer").click()
    page.get_by_role("option", name="console-greetings:2").click()
    layers.get_by_role("button", name="Save").click()
    console.saved("Layers")
    assert function() == "from version 2"

    console.open("/layers/console-greetings")
    page.get_by_role("button", name="Delete version 1").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("button", name="Delete version 1")).to_have_count(0)
    assert [
        each["Version"] for each in lambda_.list_layer_versions(LayerName="console-greetings")["LayerVersions"]
    ] == [2]
