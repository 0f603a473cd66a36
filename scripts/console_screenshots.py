"""Draw the console's main pages, light and dark, into docs/images: the same data in every run.

A server of its own is started with a few functions, called a few times. Chromium encodes
the pictures as WebP itself, so that nothing but Playwright is needed.

Usage: console_screenshots.py [FOLDER]
"""

from __future__ import annotations

import base64
import io
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import boto3
from playwright.sync_api import Browser, Page, sync_playwright

FOLDER: Final = Path(__file__).resolve().parents[1] / "docs" / "images"
VIEW: Final = {"width": 1280, "height": 800}
QUALITY: Final = 0.82

HANDLER: Final = '''import json
import logging
import os

logger = logging.getLogger()
logger.setLevel("INFO")


def lambda_handler(event, context):
    """Take an order and answer what it costs."""
    logger.info("order %s", event["order"])
    if event["order"] % 7 == 5:
        logger.warning("the stock is low")
    total = sum(line["price"] * line["count"] for line in event["lines"])
    return {"statusCode": 200, "body": json.dumps({"total": total, "stage": os.environ["STAGE"]})}
'''
FUNCTIONS: Final = (
    ("orders-api", "python3.12", "Takes orders from the shop"),
    ("resize-images", "python3.13", "Makes thumbnails of uploads"),
    ("nightly-report", "python3.11", "Sends the numbers of the day"),
    ("signup-mailer", "python3.12", "Greets new people"),
)
CALLS: Final = 24
TO_WEBP: Final = """async ([data, quality]) => {
    const image = new Image();
    image.src = `data:image/png;base64,${data}`;
    await image.decode();
    const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height });
    canvas.getContext('2d').drawImage(image, 0, 0);
    return canvas.toDataURL('image/webp', quality).split(',')[1];
}"""


@contextmanager
def server(data_dir: Path) -> Iterator[Mapping[str, str]]:
    """A running server's ``endpoint``, ``key`` and ``secret``."""
    command = [sys.executable, "-m", "firefork.cli.main", "up", "--port", "0", "--data-dir", str(data_dir)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("runtimes "):
                break
        told = json.loads((data_dir / "server.json").read_text())
        words = (data_dir / "credentials").read_text().split()
        yield {"endpoint": told["endpoint"], "key": words[3], "secret": words[6]}
    finally:
        process.terminate()
        process.wait()


def fill(lambda_: Any) -> None:
    """The functions that the pictures show, and some calls of the first."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("lambda_function.py", HANDLER)
        archive.writestr("orders/__init__.py", "")
        archive.writestr("orders/prices.py", "VAT = 0.19\n")
    for name, runtime, description in reversed(FUNCTIONS):
        lambda_.create_function(
            FunctionName=name,
            Runtime=runtime,
            Handler="lambda_function.lambda_handler",
            Role="arn:aws:iam::000000000000:role/shop",
            Description=description,
            Environment={"Variables": {"STAGE": "production"}},
            Code={"ZipFile": package.getvalue()},
        )
    first = FUNCTIONS[0][0]
    lambda_.get_waiter("function_active_v2").wait(FunctionName=first, WaiterConfig={"Delay": 0.1})
    lambda_.create_function_url_config(FunctionName=first, AuthType="AWS_IAM")
    for number in range(CALLS):
        event = {"order": number, "lines": [{"price": 7, "count": 6}]}
        lambda_.invoke(FunctionName=first, Payload=json.dumps(event).encode())


def keep(page: Page, encoder: Page, path: Path) -> None:
    """What the page shows, as WebP."""
    page.wait_for_load_state("networkidle")
    picture = base64.b64encode(page.screenshot(animations="disabled")).decode()
    path.write_bytes(base64.b64decode(encoder.evaluate(TO_WEBP, [picture, QUALITY])))
    print(f"{path.name}  {path.stat().st_size / 1024:.0f} KB")


def draw(browser: Browser, link: str, theme: str, folder: Path) -> None:
    """All pictures in one theme."""
    context = browser.new_context(locale="en-US", timezone_id="UTC", viewport=VIEW, color_scheme=theme)
    encoder, page = context.new_page(), context.new_page()
    page.goto(link)
    page.get_by_role("link", name="orders-api").wait_for()
    keep(page, encoder, folder / f"console-functions-{theme}.webp")

    page.get_by_role("link", name="orders-api").click()
    page.get_by_role("button", name="Function overview").click()
    page.get_by_text("Take an order").first.wait_for()
    keep(page, encoder, folder / f"console-code-{theme}.webp")

    page.get_by_role("tab", name="Test").click()
    page.get_by_label("Event name").fill("test")
    page.locator(".cm-content").locator("visible=true").first.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(json.dumps({"order": 5, "lines": [{"price": 7, "count": 6}]}, indent=2))
    page.get_by_role("button", name="Test", exact=True).click()
    page.get_by_text("The function succeeded").locator("visible=true").first.wait_for()
    keep(page, encoder, folder / f"console-test-{theme}.webp")

    page.get_by_role("tab", name="Monitor").click()
    page.get_by_role("button", name="Time range").click()
    page.get_by_label("Last 15 minutes").check()
    page.get_by_role("button", name="Apply").click()
    page.get_by_role("heading", name="Memory used").wait_for()
    keep(page, encoder, folder / f"console-monitor-{theme}.webp")
    context.close()


def main(folder: Path) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("no chromium on this machine: scripts/system-packages test installs it")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, server(Path(data)) as running, sync_playwright() as playwright:
        fill(
            boto3.client(
                "lambda",
                endpoint_url=running["endpoint"],
                region_name="us-east-1",
                aws_access_key_id=running["key"],
                aws_secret_access_key=running["secret"],
            )
        )
        # As in tests/console: Chromium has no sandbox of its own as root, and opens nothing but our server.
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for theme in ("light", "dark"):
            command = [sys.executable, "-m", "firefork.cli.main", "console", "--data-dir", data]
            link = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
            draw(browser, link, theme, folder)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
