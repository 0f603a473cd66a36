"""The console for everybody: readable by machines, in Spanish, in the dark, on a phone, by keyboard alone."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

AXE = Path(__file__).resolve().parents[2] / "console/node_modules/axe-core/axe.min.js"
# At a phone's width Cloudscape itself gives the closed menu an aria-orientation, which a nav may not have.
CHECK = """async ([part, rules]) => {
    const only = rules ? { runOnly: rules } : {};
    const options = { resultTypes: ['violations'], preload: false, ...only };
    const { violations } = await axe.run({ include: [part], exclude: ['[class*=mobile-toolbar-nav]'] }, options);
    return violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)).join(' | ')}`);
}"""
OF_COLOURS = ["color-contrast", "link-in-text-block"]
"""What another mode can break: it changes nothing but colours."""

HANDLER = """import logging

def handler(event, context):
    logging.getLogger().warning("something is odd")
    print("said", event)
    return event
"""


@pytest.fixture(scope="module")
def pages(make_function, lambda_, zipped):
    """Every page by its address, with something on it, and what shows that it is there."""
    layer = lambda_.publish_layer_version(LayerName="seen-by-all", Content={"ZipFile": zipped({"python/a.py": ""})})
    function = make_function(HANDLER, Layers=[layer["LayerVersionArn"]], Environment={"Variables": {"STAGE": "test"}})
    function({})
    lambda_.publish_version(FunctionName=function.name)
    lambda_.create_alias(FunctionName=function.name, Name="live", FunctionVersion="1")
    lambda_.add_permission(
        FunctionName=function.name, StatementId="s3", Principal="s3.amazonaws.com", Action="lambda:InvokeFunction"
    )
    home = f"/functions/{function.name}"
    return {
        "/functions": function.name,
        "/create-function": "Basic information",
        f"{home}/code": "something is odd",
        f"{home}/test": "key1",
        f"{home}/monitor": "said {}",
        f"{home}/aliases": "live",
        f"{home}/versions": "Delete",
        f"{home}/configuration/general": "Ephemeral storage",
        f"{home}/configuration/triggers": "Add trigger",
        f"{home}/configuration/permissions": "s3.amazonaws.com",
        f"{home}/configuration/url": "No function URL",
        f"{home}/configuration/environment": "STAGE",
        f"{home}/configuration/concurrency": "No provisioned concurrency",
        f"{home}/configuration/runtime": "Update mode",
        f"{home}/configuration/destinations": "On failure",
        f"{home}/configuration/tags": "No tags",
        f"{home}/configuration/vpc": "Subnets",
        f"{home}/configuration/monitoring": "Log format",
        f"{home}/configuration/async": "Retry attempts",
        f"{home}/configuration/signing": "Code is not checked",
        "/layers": "seen-by-all",
        "/layers/seen-by-all": "layer:seen-by-all:1",
        "/log-groups": f"/aws/lambda/{function.name}",
        f"/log-groups/%2Faws%2Flambda%2F{function.name}": "said {}",
        f"/log-insights?group=%2Faws%2Flambda%2F{function.name}": "No results yet",
        "/runtimes": "python3.12",
        "/account": "000000000000",
    }


SETTLED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


def problems_of(page, part="html"):
    """What axe finds at both widths and in both modes: all its rules in one mode, those of colours in the other."""
    found = []
    for size, theme, other in ((WIDE, "light", "dark"), (PHONE, "dark", "light")):
        page.set_viewport_size(size)
        for mode, rules in ((theme, None), (other, OF_COLOURS)):
            page.emulate_media(color_scheme=mode)
            page.evaluate(SETTLED)
            found += [f"{size['width']} px, {mode}: {problem}" for problem in page.evaluate(CHECK, [part, rules])]
        if over := page.evaluate("document.documentElement.scrollWidth - innerWidth"):
            found.append(f"{over} px wider than {size['width']} px")
    return found


def test_every_page_is_accessible_and_fits(new_console, pages):
    """axe finds nothing serious or critical, and nothing scrolls sideways."""
    console = new_console(bypass_csp=True, reduced_motion="reduce")
    page = console.open("/runtimes")
    page.add_script_tag(path=AXE)
    found = {}
    for address, shown in pages.items():
        page.set_viewport_size(WIDE)
        console.go(address)
        page.get_by_text(shown).locator("visible=true").first.wait_for()
        # What stands around a section is looked at with the first of them.
        is_section = "/configuration/" in address and not address.endswith("general")
        if problems := problems_of(page, ".configuration-section" if is_section else "html"):
            found[address] = problems
    assert found == {}


def test_the_sign_in_page_is_accessible(new_page, server):
    page = new_page(bypass_csp=True, reduced_motion="reduce")
    page.goto(f"{server.endpoint}/_firefork/console/")
    page.get_by_label("Access key ID").wait_for()
    page.add_script_tag(path=AXE)
    assert problems_of(page) == []


def test_spanish_by_the_browser_and_by_the_switch(new_console):
    page = new_console(locale="es-MX").open("/functions")
    page.get_by_role("heading", name="Funciones").wait_for()
    assert page.evaluate("document.documentElement.lang") == "es"
    page.get_by_role("button", name="Idioma").click()
    page.get_by_role("menuitemcheckbox", name="English").click()
    page.get_by_role("heading", name="Functions").wait_for()
    page.reload()
    page.get_by_role("heading", name="Functions").wait_for()


def test_dark_by_the_system_and_by_the_switch(new_console):
    page = new_console(color_scheme="dark").open("/functions")
    expect(page.locator("body")).to_have_class("awsui-dark-mode")
    page.get_by_role("button", name="Light mode").click()
    expect(page.locator("body")).not_to_have_class("awsui-dark-mode")
    page.reload()
    expect(page.locator("body")).not_to_have_class("awsui-dark-mode")


def tab_to(page, role, name, key="Tab"):
    """Presses Tab until the thing has the focus; fails where that takes more presses than a page has things."""
    wanted = page.get_by_role(role, name=name, exact=True)
    for _ in range(80):
        page.keyboard.press(key)
        if wanted.evaluate_all("(found) => found.includes(document.activeElement)"):
            return
    raise AssertionError(f"Tab never comes to {role} {name}")


def test_first_steps_by_keyboard_alone(console, lambda_):
    page = console.open("/functions")
    page.get_by_role("heading", name="Functions").wait_for()
    tab_to(page, "link", "Create function")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Function name")).to_be_focused()
    page.keyboard.type("by-keyboard")
    page.keyboard.press("Enter")
    page.get_by_role("tab", name="Test").wait_for()
    tab_to(page, "tab", "Code")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    tab_to(page, "textbox", "Event name")
    page.keyboard.type("test")
    page.keyboard.press("Control+Enter")
    page.get_by_text("The function succeeded on the event test.").locator("visible=true").first.wait_for()
    tab_to(page, "tab", "Test", "Shift+Tab")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    tab_to(page, "textbox", "Editor: lambda_function.py")
    page.keyboard.press("Control+a")
    page.keyboard.insert_text("def lambda_handler(event, context):\n    return 'no mouse'\n")
    page.keyboard.press("Control+s")
    page.get_by_text("Live since").wait_for()
    answer = lambda_.invoke(FunctionName="by-keyboard", Payload=b"{}")["Payload"].read()
    assert answer == b'"no mouse"'
