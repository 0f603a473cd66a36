"""The console in a browser, against a real server: what a newcomer does first, without reading anything."""

import json

from playwright.sync_api import expect

EDITED = """def lambda_handler(event, context):
    print("edited code runs")
    return {"edited": event["key1"]}
"""


class TestFirstSteps:
    def test_create_test_edit_test_again_and_read_the_log(self, new_page, new_link, lambda_, logs):
        page = new_page()
        page.goto(new_link())
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

    def test_a_used_link_says_so_and_a_key_signs_in(self, new_page, new_link, server):
        page, sign_in_link = new_page(), new_link()
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
        kept = json.loads(json.loads(stored)[0]["firefork.session"])
        assert kept["accessKeyId"].startswith("ASIA")
        assert kept["sessionToken"]
        page.reload()
        page.get_by_role("heading", name="Functions").wait_for()

    def test_a_wrong_secret_is_refused_in_the_words_of_aws(self, new_page, server):
        page = new_page()
        page.goto(f"{server.endpoint}/_firefork/console/functions")
        page.get_by_label("Access key ID").fill(server.keys()[0])
        page.get_by_label("Secret access key").fill("not the secret")
        page.get_by_role("button", name="Sign in").click()
        page.get_by_text("The request signature we calculated does not match the signature you provided").wait_for()
        page.get_by_role("heading", name="Sign in to Firefork").wait_for()
