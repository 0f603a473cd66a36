"""The tab Code: files, the editor's own ways, deploys, and what is not to be edited."""

import io
import json
import stat
import urllib.request
import zipfile

import pytest
from playwright.sync_api import expect

HANDLER = """import words


def handler(event, context):
    return words.GREETING
"""
BINARY = bytes(range(256)) * 16


def package():
    """Files to edit, and three that no editor can show: bytes, a link, a program."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("app.py", HANDLER)
        archive.writestr("words.py", "GREETING = 'hello'\n")
        archive.writestr("notes/old.txt", "to be renamed\n")
        archive.writestr("notes/gone.txt", "to be deleted\n")
        archive.writestr("data.bin", BINARY)
        link = zipfile.ZipInfo("current")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "words.py")
        program = zipfile.ZipInfo("bin/run.sh")
        program.external_attr = (stat.S_IFREG | 0o755) << 16
        archive.writestr(program, "#!/bin/sh\necho ran\n")
    return buffer.getvalue()


@pytest.fixture
def function(make_function):
    return make_function(package())


@pytest.fixture
def deployed(lambda_, function):
    """Fetches what is deployed, as a zip file."""

    def fetch():
        with urllib.request.urlopen(lambda_.get_function(FunctionName=function.name)["Code"]["Location"]) as answer:
            return zipfile.ZipFile(io.BytesIO(answer.read()))

    return fetch


def open_file(page, name):
    page.locator(".files").get_by_role("button", name=name, exact=True).click()


def act(page, name, action):
    page.get_by_role("button", name=f"Actions of {name}").click()
    page.get_by_role("menuitem", name=action, exact=True).click()


def answer_path(page, title, path):
    dialog = page.get_by_role("dialog", name=title)
    dialog.get_by_role("textbox").fill(path)
    dialog.get_by_role("textbox").press("Enter")
    expect(dialog).to_have_count(0)


def drop(page, name, text):
    transfer = page.evaluate_handle(
        """([name, text]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([text], name));
            return transfer;
        }""",
        [name, text],
    )
    workbench = page.locator(".workbench")
    workbench.dispatch_event("dragover", {"dataTransfer": transfer})
    expect(workbench).to_have_class("workbench dropping")
    workbench.dispatch_event("drop", {"dataTransfer": transfer})


def test_files_come_go_and_move_and_the_rest_survives(console, function, deployed):
    """What the editor does not show is the same after a deploy, byte for byte, with its mode."""
    page = console.open(f"/functions/{function.name}/code")
    expect(page.get_by_role("button", name="Deploy")).to_be_disabled()
    page.get_by_role("button", name="File", exact=True).click()
    page.get_by_role("menuitem", name="New file").click()
    answer_path(page, "New file", "lib/new.py")
    page.locator(".workbench .cm-content").click()
    page.keyboard.insert_text("MADE = 'here'\n")
    drop(page, "dropped.py", "MADE = 'elsewhere'\n")
    expect(page.locator(".workbench .cm-content")).to_contain_text("elsewhere")
    act(page, "old.txt", "Rename")
    answer_path(page, "Rename", "notes/renamed.txt")
    act(page, "gone.txt", "Delete")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("gone.txt")).to_have_count(0)
    expect(page.get_by_title("Not deployed")).not_to_have_count(0)
    page.get_by_role("button", name="Deploy").click()
    page.get_by_text("Live since").wait_for()
    expect(page.get_by_title("Not deployed")).to_have_count(0)

    with deployed() as archive:
        content = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
        modes = {name: archive.getinfo(name).external_attr >> 16 for name in content}
    assert content["lib/new.py"] == b"MADE = 'here'\n"
    assert content["dropped.py"] == b"MADE = 'elsewhere'\n"
    assert content["notes/renamed.txt"] == b"to be renamed\n"
    assert "notes/gone.txt" not in content
    assert content["data.bin"] == BINARY
    assert (content["current"], stat.S_ISLNK(modes["current"])) == (b"words.py", True)
    assert (content["bin/run.sh"], modes["bin/run.sh"] & 0o777) == (b"#!/bin/sh\necho ran\n", 0o755)
    assert function({}) == "hello"


def test_find_replace_and_completion(console, function):
    page = console.open(f"/functions/{function.name}/code")
    editor = page.locator(".workbench .cm-content")
    expect(editor).to_contain_text("import words")
    editor.click()
    page.keyboard.press("Control+f")
    page.get_by_placeholder("Find", exact=True).fill("GREETING")
    page.get_by_placeholder("Replace", exact=True).fill("FAREWELL")
    page.get_by_role("button", name="replace all").click()
    page.keyboard.press("Escape")
    expect(editor).to_contain_text("return words.FAREWELL")

    editor.click()
    page.keyboard.press("Control+End")
    page.keyboard.type("isinst")
    page.get_by_role("option", name="isinstance").click()
    expect(editor.locator(".cm-line").last).to_have_text("isinstance")


def test_tabs_keep_what_was_typed_until_it_is_discarded(console, function):
    page = console.open(f"/functions/{function.name}/code")
    editor = page.locator(".workbench .cm-content")
    open_file(page, "words.py")
    expect(editor).to_contain_text("hello")
    editor.click()
    page.keyboard.press("Control+End")
    page.keyboard.insert_text("OTHER = 1\n")
    open_file(page, "app.py")
    expect(editor).not_to_contain_text("OTHER")
    page.get_by_role("button", name="Close app.py").click()
    expect(editor).to_contain_text("OTHER = 1")
    page.get_by_role("button", name="File", exact=True).click()
    page.get_by_role("menuitem", name="Discard changes").click()
    page.get_by_role("dialog").get_by_role("button", name="Discard changes").click()
    expect(page.get_by_title("Not deployed")).to_have_count(0)
    open_file(page, "words.py")
    expect(editor).not_to_contain_text("OTHER")


def test_files_that_are_not_shown_say_why(console, function):
    page = console.open(f"/functions/{function.name}/code")
    page.locator(".workbench .cm-content").wait_for()
    open_file(page, "data.bin")
    page.get_by_text("This file is not text: it is kept as it is.").wait_for()
    open_file(page, "current")
    page.get_by_text("This is a symbolic link: it is kept as it is.").wait_for()


def test_downloads(console, function, deployed):
    page = console.open(f"/functions/{function.name}/code")
    page.locator(".workbench .cm-content").wait_for()
    with page.expect_download() as one:
        act(page, "data.bin", "Download")
    assert one.value.path().read_bytes() == BINARY
    with page.expect_download() as whole:
        page.get_by_role("button", name="File", exact=True).click()
        page.get_by_role("menuitem", name="Download package").click()
    assert whole.value.suggested_filename == f"{function.name}.zip"
    with zipfile.ZipFile(whole.value.path()) as archive, deployed() as there:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            name: there.read(name) for name in there.namelist()
        }


def test_a_large_package_is_downloaded_and_not_shown(console, function):
    def grown(route):
        answer = route.fetch()
        told = answer.json()
        told["Configuration"]["CodeSize"] = 60_000_000
        route.fulfill(response=answer, body=json.dumps(told))

    console.page.route(f"**/2015-03-31/functions/{function.name}", grown)
    page = console.open(f"/functions/{function.name}/code")
    page.get_by_text("57.2 MB").first.wait_for()
    with page.expect_download() as whole:
        page.get_by_role("link", name="Download package").click()
    with zipfile.ZipFile(whole.value.path()) as archive:
        assert archive.read("data.bin") == BINARY


def test_somebody_else_deployed_meanwhile(console, function, lambda_, deployed, zipped):
    """Nothing is overwritten unless one says so."""
    page = console.open(f"/functions/{function.name}/code")
    editor = page.locator(".workbench .cm-content")
    expect(editor).to_contain_text("import words")
    lambda_.update_function_code(FunctionName=function.name, ZipFile=zipped({"app.py": "handler = len\n"}))
    lambda_.get_waiter("function_updated_v2").wait(FunctionName=function.name, WaiterConfig={"Delay": 0.05})
    editor.click()
    page.keyboard.press("Control+End")
    page.keyboard.insert_text("# mine\n")
    page.keyboard.press("Control+s")
    dialog = page.get_by_role("dialog", name="The code was changed elsewhere")
    dialog.wait_for()
    with deployed() as archive:
        assert archive.namelist() == ["app.py"]
    dialog.get_by_role("button", name="Overwrite").click()
    page.get_by_text("Live since").wait_for()
    with deployed() as archive:
        assert archive.read("app.py").endswith(b"# mine\n")


def test_runtime_settings(console, function, lambda_):
    page = console.open(f"/functions/{function.name}/code")
    page.get_by_role("button", name="Edit Runtime settings").click()
    form = page.get_by_role("form", name="Runtime settings")
    form.get_by_label("Handler").fill("words.handler")
    form.get_by_role("button", name="Save").click()
    console.saved("Runtime settings")
    assert lambda_.get_function_configuration(FunctionName=function.name)["Handler"] == "words.handler"
