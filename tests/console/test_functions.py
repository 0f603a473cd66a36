"""The list of functions, their creation in three ways, and the actions of the function page."""

import pytest
from playwright.sync_api import expect

TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", '
    '"Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}'
)
BLUEPRINTS = ("Hello world", "API handler", "S3 event", "SQS batch", "Scheduled job", "Streaming answer", "Powertools")


@pytest.fixture(scope="module")
def herd(make_function):
    """Thirty functions, named herd-00 to herd-29; the first three run on an older Python."""
    runtimes = ["python3.11"] * 3 + ["python3.12"] * 27
    return [
        make_function("handler = len\n", FunctionName=f"herd-{number:02}", runtime=runtime)
        for number, runtime in enumerate(runtimes)
    ]


def names(page):
    return page.get_by_role("table").get_by_role("link", name="herd-")


class TestList:
    def test_search_filter_sort_and_pages(self, console, herd):
        page = console.open("/functions")
        page.get_by_label("Find functions").fill("herd-")
        expect(names(page)).to_have_count(25)
        page.get_by_role("button", name="Next page").click()
        expect(names(page)).to_have_count(5)
        page.get_by_role("button", name="Function name").press(
            "Enter"
        )  # the mouse meets the sticky header's copy of it
        expect(names(page).first).to_have_text("herd-00")
        page.get_by_role("button", name="Runtime Every").click()
        page.get_by_role("option", name="Python 3.11").click()
        expect(names(page)).to_have_text(["herd-00", "herd-01", "herd-02"])
        page.get_by_label("Find functions").fill("no such function")
        page.get_by_role("button", name="Clear filter").click()
        expect(page.get_by_label("Find functions")).to_have_value("")

    def test_the_preferences_change_the_size_of_a_page(self, console, herd):
        page = console.open("/functions")
        page.get_by_label("Find functions").fill("herd-")
        page.get_by_role("button", name="Preferences").click()
        page.get_by_role("dialog").get_by_label("50", exact=True).check()
        page.get_by_role("dialog").get_by_role("button", name="Confirm").click()
        expect(names(page)).to_have_count(30)

    def test_several_are_deleted_after_the_word(self, console, make_function, lambda_):
        for number in range(3):
            make_function("handler = len\n", FunctionName=f"doomed-{number}")
        page = console.open("/functions")
        page.get_by_label("Find functions").fill("doomed-")
        for name in ("doomed-0", "doomed-2"):
            page.get_by_role("checkbox", name=f"Choose {name}").check()
        page.get_by_role("button", name="Delete", exact=True).click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("listitem")).to_have_text(["doomed-0", "doomed-2"])
        expect(dialog.get_by_role("button", name="Delete")).to_be_disabled()
        dialog.get_by_role("textbox").fill("delete")
        dialog.get_by_role("button", name="Delete").click()
        page.get_by_text("Deleted 2 functions.").wait_for()
        expect(page.get_by_role("table").get_by_role("link", name="doomed-")).to_have_text(["doomed-1"])
        with pytest.raises(lambda_.exceptions.ResourceNotFoundException):
            lambda_.get_function(FunctionName="doomed-0")


class TestCreate:
    def test_every_blueprint_answers_its_own_event(self, console, lambda_):
        page = console.open("/functions")
        for number, title in enumerate(BLUEPRINTS):
            console.go("/create-function")
            page.get_by_label("Use a blueprint").check()
            page.get_by_label("Function name").fill(f"blueprint-{number}")
            page.get_by_role("radio", name=title).check()
            page.get_by_role("button", name="Create function").click()
            page.get_by_role("tab", name="Test").click()
            page.get_by_role("button", name="Test", exact=True).click()
            # Powertools are no part of the runtime: as its description says, they come by a layer.
            told = "No module named 'aws_lambda_powertools'" if title == "Powertools" else "The function succeeded"
            page.get_by_text(told).locator("visible=true").first.wait_for()
        assert lambda_.get_function_configuration(FunctionName="blueprint-0")["Handler"].endswith(".lambda_handler")

    def test_from_a_package_with_a_role_that_is_there(self, console, server, lambda_, zipped):
        role = server.client("iam").create_role(RoleName="for-packages", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
        page = console.open("/create-function")
        page.get_by_label("Upload a .zip file").check()
        page.get_by_label("Function name").fill("from-a-package")
        page.get_by_label("Use an existing role").check()
        page.get_by_label("Role ARN").fill("no role")
        page.locator("input[type=file]").set_input_files(
            {
                "name": "code.zip",
                "mimeType": "application/zip",
                "buffer": zipped({"main.py": "def run(event, context):\n    return 'packed'\n"}),
            }
        )
        page.get_by_label("Handler").fill("main.run")
        page.get_by_role("button", name="Create function").click()
        page.get_by_text("Value 'no role' at 'role' failed to satisfy constraint").wait_for()
        page.get_by_label("Role ARN").fill(role)
        page.get_by_role("button", name="Create function").click()
        page.get_by_text("Created from-a-package.").wait_for()
        page.get_by_role("tab", name="Test").wait_for()
        assert lambda_.get_function_configuration(FunctionName="from-a-package")["Role"] == role
        assert lambda_.invoke(FunctionName="from-a-package")["Payload"].read() == b'"packed"'

    def test_a_name_that_is_taken_is_refused_beside_it(self, console, echo):
        page = console.open("/create-function")
        page.get_by_label("Function name").fill(echo.name)
        page.get_by_role("button", name="Create function").click()
        page.get_by_text(f"Function already exist: {echo.name}").wait_for()


class TestActions:
    def test_throttle_and_delete(self, console, make_function, lambda_):
        function = make_function("handler = len\n")
        page = console.open(f"/functions/{function.name}/code")
        page.get_by_role("button", name="Actions", exact=True).click()
        page.get_by_role("menuitem", name="Throttle").click()
        page.get_by_role("dialog").get_by_role("button", name="Throttle").click()
        page.get_by_text(f"{function.name} is throttled").wait_for()
        told = lambda_.get_function_concurrency(FunctionName=function.name)
        assert told["ReservedConcurrentExecutions"] == 0
        page.get_by_role("button", name="Actions", exact=True).click()
        page.get_by_role("menuitem", name="Delete function").click()
        page.get_by_role("dialog").get_by_role("textbox").fill("delete")
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        page.get_by_role("heading", name="Functions").wait_for()
        with pytest.raises(lambda_.exceptions.ResourceNotFoundException):
            lambda_.get_function(FunctionName=function.name)


def test_the_account_page_tells_limits_and_use(console, lambda_, echo):
    page = console.open("/account")
    page.get_by_text("Unreserved concurrent executions").wait_for()
    limits = lambda_.get_account_settings()["AccountLimit"]
    for label, value in (("Zipped package", "50 MB"), ("Concurrent executions", f"{limits['ConcurrentExecutions']:,}")):
        term = page.locator("dt").get_by_text(label, exact=True)
        expect(term.locator("xpath=ancestor::dt/following-sibling::dd[1]")).to_have_text(value)
