"""How soon the console is usable, what it loads for that, and how fast its list of functions answers a key.

Prints medians; over loopback, in this machine's Chromium, with an empty cache for each load. The 10,000 functions of
the list are made up on the browser's side of the connection: it is the page that is measured, not ListFunctions. There
is no peer: no other self-hosted Lambda has a console.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys

from playwright.sync_api import BrowserContext, Request, Route, sync_playwright

from firefork_server import FireforkServer

LOADS = 7
FUNCTIONS = 10_000
PAGE = 50
TYPED = "service-01234"

KEYS = """async (text) => {
    const input = document.querySelector('input[type=search]');
    const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set;
    const took = [];
    for (let length = 1; length <= text.length; length++) {
        const start = performance.now();
        set.call(input, text.slice(0, length));
        input.dispatchEvent(new Event('input', { bubbles: true }));
        await new Promise((painted) => requestAnimationFrame(() => setTimeout(painted)));
        took.push(performance.now() - start);
    }
    return took;
}"""


def load(context: BrowserContext, link: str) -> tuple[float, int]:
    """Milliseconds from the navigation to a list that can be searched, and the bytes of JavaScript that came for it."""
    page = context.new_page()
    sizes: list[int] = []
    page.on("requestfinished", lambda request: sizes.append(script_size(request)))
    page.goto(link)
    page.get_by_label("Find functions").wait_for()
    usable_ms = float(page.evaluate("performance.now()"))
    page.wait_for_load_state("networkidle")
    return usable_ms, sum(sizes)


def script_size(request: Request) -> int:
    """The compressed bytes of a script; 0 for another answer."""
    return request.sizes()["responseBodySize"] if request.url.endswith(".js") else 0


def answer_list(route: Route) -> None:
    """A page of ListFunctions."""
    start = int(route.request.url.partition("Marker=")[2] or 0)
    functions = [
        {"FunctionName": f"service-{number:05}", "Runtime": "python3.12", "CodeSize": number, "MemorySize": 128}
        for number in range(start, start + PAGE)
    ]
    following = str(start + PAGE) if start + PAGE < FUNCTIONS else None
    route.fulfill(content_type="application/json", body=json.dumps({"Functions": functions, "NextMarker": following}))


def main() -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("no chromium on this machine: scripts/system-packages test installs it")
    with FireforkServer() as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        loads = []
        for _ in range(LOADS):
            context = browser.new_context()
            loads.append(load(context, sign_in_link(server)))
            context.close()
        context = browser.new_context()
        context.route("**/2015-03-31/functions*", answer_list)
        page = context.new_page()
        page.goto(sign_in_link(server))
        page.get_by_text(f"({FUNCTIONS:,})").wait_for(timeout=120_000)
        keys = page.evaluate(KEYS, TYPED)
        browser.close()
    print(f"usable after         {statistics.median(ms for ms, _ in loads):8.0f} ms  (median of {LOADS} loads)")
    print(f"JavaScript, as sent  {statistics.median(size for _, size in loads) / 1000:8.0f} kB")
    print(f"a key, {FUNCTIONS:,} rows   {statistics.median(keys):8.0f} ms  (median; slowest {max(keys):.0f} ms)")


def sign_in_link(server: FireforkServer) -> str:
    command = [sys.executable, "-m", "firefork.cli.main", "console", "--data-dir", str(server.data_dir)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main()
