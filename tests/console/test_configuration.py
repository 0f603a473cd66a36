"""Every form of the tab Configuration: what is saved, and AWS's words beside the field that they are about."""

import json

import pytest
from playwright.sync_api import expect

SQS_QUEUE = "arn:aws:sqs:us-east-1:000000000000:orders"


@pytest.fixture
def form(console, echo):
    """Opens a section's form for editing."""

    def edit(section, title):
        page = console.configuration(echo.name, section)
        page.get_by_role("button", name=f"Edit {title}").click()
        return page.get_by_role("form", name=title)

    return edit


def save(form):
    form.get_by_role("button", name="Save").click()


class TestGeneral:
    def test_saves_and_shows(self, console, form, lambda_, echo):
        fields = form("general", "General configuration")
        fields.get_by_label("Description").fill("answers its event")
        fields.get_by_label("Memory").fill("256")
        fields.get_by_label("Ephemeral storage").fill("1024")
        fields.get_by_label("Timeout").fill("7")
        fields.get_by_label("SnapStart").click()
        console.page.get_by_role("option", name="Published versions").click()
        save(fields)
        console.saved("General configuration")
        told = lambda_.get_function_configuration(FunctionName=echo.name)
        assert (told["MemorySize"], told["Timeout"], told["EphemeralStorage"]["Size"]) == (256, 7, 1024)
        assert (told["Description"], told["SnapStart"]["ApplyOn"]) == ("answers its event", "PublishedVersions")
        lambda_.update_function_configuration(FunctionName=echo.name, SnapStart={"ApplyOn": "None"})

    def test_two_errors_stand_beside_their_fields(self, console, form):
        fields = form("general", "General configuration")
        fields.get_by_label("Memory").fill("1")
        fields.get_by_label("Timeout").fill("9999")
        save(fields)
        expect(fields.get_by_text("Value '1' at 'memorySize' failed to satisfy constraint").first).to_be_visible()
        expect(fields.get_by_text("Value '9999' at 'timeout' failed to satisfy constraint").first).to_be_visible()
        expect(fields.get_by_text("validation errors detected")).to_have_count(0)
        fields.get_by_role("button", name="Cancel").click()
        expect(console.page.get_by_text("at 'timeout'")).to_have_count(0)


class TestSections:
    def test_environment_variables(self, console, form, lambda_, echo):
        fields = form("environment", "Environment variables")
        fields.get_by_role("button", name="Add environment variable").click()
        fields.get_by_role("textbox", name="Key").fill("STAGE")
        fields.get_by_role("textbox", name="Value").fill("test")
        save(fields)
        console.saved("Environment variables")
        assert lambda_.get_function_configuration(FunctionName=echo.name)["Environment"]["Variables"] == {
            "STAGE": "test"
        }

    def test_tags(self, console, form, lambda_, echo):
        fields = form("tags", "Tags")
        fields.get_by_role("button", name="Add new tag").click()
        fields.get_by_role("combobox", name="Key").fill("team")
        fields.get_by_role("combobox", name="Value").fill("shop")
        save(fields)
        console.saved("Tags")
        arn = lambda_.get_function_configuration(FunctionName=echo.name)["FunctionArn"]
        assert lambda_.list_tags(Resource=arn)["Tags"] == {"team": "shop"}

    def test_vpc(self, console, form, lambda_, echo):
        fields = form("vpc", "VPC")
        fields.get_by_role("textbox", name="Subnets").fill("subnet-0123456789abcdef0, subnet-0123456789abcdef1")
        fields.get_by_label("Security groups").fill("sg-0123456789abcdef0")
        save(fields)
        console.saved("VPC")
        told = lambda_.get_function_configuration(FunctionName=echo.name)["VpcConfig"]
        assert told["SubnetIds"] == ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
        assert told["SecurityGroupIds"] == ["sg-0123456789abcdef0"]

    def test_monitoring(self, console, form, lambda_, echo):
        fields = form("monitoring", "Monitoring and operations tools")
        fields.get_by_label("Log format").click()
        console.page.get_by_role("option", name="JSON").click()
        fields.get_by_label("Application log level").click()
        console.page.get_by_role("option", name="WARN").click()
        fields.get_by_label("Active tracing").check()
        save(fields)
        console.saved("Monitoring and operations tools")
        told = lambda_.get_function_configuration(FunctionName=echo.name)
        assert told["LoggingConfig"]["ApplicationLogLevel"] == "WARN"
        assert told["TracingConfig"] == {"Mode": "Active"}
        lambda_.update_function_configuration(FunctionName=echo.name, LoggingConfig={"LogFormat": "Text"})

    def test_asynchronous_invocation_and_destinations(self, console, form, lambda_, echo):
        fields = form("async", "Asynchronous invocation")
        fields.get_by_label("Maximum age of event").fill("3600")
        fields.get_by_label("Retry attempts").click()
        console.page.get_by_role("option", name="0", exact=True).click()
        save(fields)
        console.saved("Asynchronous invocation")
        fields = form("destinations", "Destinations")
        fields.get_by_label("On failure").fill(SQS_QUEUE)
        save(fields)
        console.saved("Destinations")
        told = lambda_.get_function_event_invoke_config(FunctionName=echo.name)
        assert (told["MaximumEventAgeInSeconds"], told["MaximumRetryAttempts"]) == (3600, 0)
        assert told["DestinationConfig"]["OnFailure"] == {"Destination": SQS_QUEUE}
        expect(console.page.get_by_role("img", name="destinations: 1")).to_be_visible()

    def test_asynchronous_age_out_of_range(self, form):
        fields = form("async", "Asynchronous invocation")
        fields.get_by_label("Maximum age of event").fill("5")
        save(fields)
        expect(fields.get_by_text("Value '5' at 'maximumEventAgeInSeconds'").first).to_be_visible()

    def test_function_url(self, console, form, lambda_, echo):
        fields = form("url", "Function URL")
        fields.get_by_label("NONE").check()
        fields.get_by_label("Allowed origins (CORS)").fill("https://example.com")
        save(fields)
        console.saved("Function URL")
        told = lambda_.get_function_url_config(FunctionName=echo.name)
        assert (told["AuthType"], told["Cors"]["AllowOrigins"]) == ("NONE", ["https://example.com"])
        console.page.get_by_role("form", name="Function URL").get_by_role("button", name="Delete").click()
        console.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        console.page.get_by_text("No function URL").wait_for()

    def test_runtime_management(self, console, form, lambda_, echo):
        fields = form("runtime", "Runtime management")
        fields.get_by_label("FunctionUpdate").check()
        save(fields)
        console.saved("Runtime management")
        assert lambda_.get_runtime_management_config(FunctionName=echo.name)["UpdateRuntimeOn"] == "FunctionUpdate"

    def test_code_signing_needs_a_configuration_that_is_there(self, form):
        fields = form("signing", "Code signing")
        missing = "arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-0123456789abcdef0"
        fields.get_by_label("Code signing configuration").fill(missing)
        save(fields)
        expect(fields.get_by_text("The code signing configuration cannot be found").first).to_be_visible()


class TestConcurrency:
    def test_reserved(self, console, form, lambda_, echo):
        fields = form("concurrency", "Reserved concurrency")
        fields.get_by_label("Reserve concurrency").check()
        fields.get_by_role("spinbutton", name="Reserved concurrency").fill("950")
        save(fields)
        refusal = "decreases account's UnreservedConcurrentExecution below its minimum value of [100]"
        expect(fields.get_by_text(refusal).first).to_be_visible()
        fields.get_by_role("spinbutton", name="Reserved concurrency").fill("5")
        save(fields)
        console.saved("Reserved concurrency")
        assert lambda_.get_function_concurrency(FunctionName=echo.name)["ReservedConcurrentExecutions"] == 5

    def test_provisioned(self, console, make_function, lambda_):
        function = make_function("def handler(event, context):\n    return 1\n")
        lambda_.publish_version(FunctionName=function.name)
        page = console.configuration(function.name, "concurrency")
        page.get_by_role("button", name="Add provisioned concurrency").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name="Version or alias").click()
        page.get_by_role("option", name="1", exact=True).click()
        dialog.get_by_label("Provisioned concurrency").fill("2")
        dialog.get_by_role("button", name="Save").click()
        row = page.get_by_role("table", name="Provisioned concurrency").get_by_role("row").nth(1)
        expect(row).to_contain_text("Ready")
        expect(row.get_by_role("cell")).to_have_text(["2", "2", "Ready", "EditDelete"])
        row.get_by_role("button", name="Delete 1").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        page.get_by_text("No provisioned concurrency").wait_for()
        assert (
            lambda_.list_provisioned_concurrency_configs(FunctionName=function.name)["ProvisionedConcurrencyConfigs"]
            == []
        )


class TestPermissions:
    def test_a_role_is_chosen(self, console, form, server, lambda_, echo):
        statement = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        role = server.client("iam").create_role(RoleName="console-chosen", AssumeRolePolicyDocument=trust)["Role"]
        fields = form("permissions", "Execution role")
        fields.get_by_label("Role ARN").fill("console-chosen")
        console.page.get_by_role("option", name=role["Arn"]).click()
        save(fields)
        console.saved("Execution role")
        assert lambda_.get_function_configuration(FunctionName=echo.name)["Role"] == role["Arn"]

    def test_a_statement_is_added_and_taken_away(self, console, lambda_, echo):
        page = console.configuration(echo.name, "permissions")
        page.get_by_role("button", name="Add permission").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Statement ID").fill("not valid!")
        dialog.get_by_label("Principal").fill("s3.amazonaws.com")
        dialog.get_by_role("button", name="Save").click()
        expect(dialog.get_by_text("Value 'not valid!' at 'statementId'").first).to_be_visible()
        dialog.get_by_label("Statement ID").fill("from-uploads")
        dialog.get_by_label("Source ARN").fill("arn:aws:s3:::uploads")
        dialog.get_by_role("button", name="Save").click()
        page.get_by_role("row", name="from-uploads").wait_for()
        assert "arn:aws:s3:::uploads" in lambda_.get_policy(FunctionName=echo.name)["Policy"]
        page.get_by_role("button", name="Delete from-uploads").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        page.get_by_text("No statements").wait_for()


def test_a_trigger_is_added_stopped_and_taken_away(console, lambda_, make_function):
    function = make_function("def handler(event, context):\n    return 1\n")
    page = console.configuration(function.name, "triggers")
    page.get_by_role("button", name="Add trigger").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Source").fill(SQS_QUEUE)
    dialog.get_by_label("Batch size").fill("20000")
    dialog.get_by_role("button", name="Add").click()
    expect(dialog.get_by_text("Value '20000' at 'batchSize'").first).to_be_visible()
    dialog.get_by_label("Batch size").fill("5")
    dialog.get_by_role("button", name="Add").click()
    page.get_by_role("row", name=SQS_QUEUE).wait_for()
    (mapping,) = lambda_.list_event_source_mappings(FunctionName=function.name)["EventSourceMappings"]
    assert mapping["BatchSize"] == 5
    page.get_by_role("button", name=f"Delete {SQS_QUEUE}").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").wait_for(state="hidden")
