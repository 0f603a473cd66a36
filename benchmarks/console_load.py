"""How soon the console is usable, what it loads for that, and how fast its list of 10,000 functions answers a key.

Over loopback, in this machine's Chromium, with an empty cache for each load and a one-time link to redeem, in a tab
that has been open for a moment, as a browser in use has one in reserve. No other self-hosted Lambda has a console, so
the peer of a load is a bare page of the same server in the same browser: a picture of 0.2 kB, which is the least that a
page can take here. Both take turns. Moments are read inside the page, at the frame that shows what is waited for. The
functions are real ones.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys

from playwright.sync_api import BrowserContext, Request, sync_playwright

from firefork_server import FireforkServer
from measurement import load_average

LOADS = 9
FUNCTIONS = 10_000
FEW = 10
TYPED = "bench-1234"

NOTE = """(() => {
    const wanted = { searchable: 'input[type=search]', shown: 'td a, th a', bare: 'circle, path, rect' };
    const noted = {};
    window.noted = noted;
    const look = () => {
        for (const [name, selector] of Object.entries(wanted)) {
            if (name in noted || !document.querySelector(selector)) continue;
            noted[name] = null;
            // The task behind the next frame: by then it is painted, and answers a key.
            requestAnimationFrame(() => setTimeout(() => { noted[name] = performance.now(); }));
        }
    };
    new MutationObserver(look).observe(document, { subtree: true, childList: true });
    look();
})()"""
"""Notes when the search box, the first function, and the bare page's picture were there to see."""

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


def load(context: BrowserContext, server: FireforkServer, path: str | None, *awaited: str) -> tuple[list[float], int]:
    """Milliseconds from the navigation to each of what is awaited, and the bytes of JavaScript that came for it.

    Without a ``path`` a one-time link leads there.
    """
    page = context.new_page()
    page.add_init_script(NOTE)
    sizes: list[int] = []
    page.on("requestfinished", lambda request: sizes.append(script_size(request)))
    link = sign_in_link(server)  # it takes long enough for the tab to be ready
    page.goto(link if path is None else server.endpoint + path)
    page.wait_for_function("names => names.every((name) => noted[name])", arg=awaited)
    noted = page.evaluate("noted")
    page.wait_for_load_state("networkidle")
    return [float(noted[name]) for name in awaited], sum(sizes)


def script_size(request: Request) -> int:
    """The compressed bytes of a script; 0 for another answer."""
    return request.sizes()["responseBodySize"] if request.url.endswith(".js") else 0


def main() -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("no chromium on this machine: scripts/system-packages test installs it")
    print(load_average())
    with FireforkServer() as few, FireforkServer() as many, sync_playwright() as playwright:
        few.fill(FEW)
        many.fill(FUNCTIONS)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        loads, bare = [], []
        for number in range(LOADS + 1):
            with browser.new_context() as context:
                taken = load(context, few, None, "searchable", "shown")
            with browser.new_context() as context:
                picture = load(context, few, "/_firefork/console/favicon.svg", "bare")
            if number:  # the first of each reads the browser's own code from the disk
                loads.append(taken)
                bare.append(picture)
        with browser.new_context() as context:
            page = context.new_page()
            page.goto(sign_in_link(many))
            page.get_by_text(f"({FUNCTIONS:,})").wait_for(timeout=120_000)
            keys = page.evaluate(KEYS, TYPED)
            page.get_by_role("link", name=TYPED, exact=True).wait_for()
        browser.close()
    least = statistics.median(ms for (ms,), _ in bare)
    for what, index in (("searchable", 0), ("functions shown", 1)):
        ms = statistics.median(moments[index] for moments, _ in loads)
        print(f"{what:20} {ms:8.0f} ms  (median of {LOADS} loads; {ms / least:.1f} times a bare page's {least:.0f} ms)")
    print(f"{'JavaScript, as sent':20} {statistics.median(size for _, size in loads) / 1000:8.0f} kB")
    print(f"{f'a key, {FUNCTIONS:,} rows':20} {statistics.median(keys):8.0f} ms  (median; slowest {max(keys):.0f} ms)")
    print(load_average())


def sign_in_link(server: FireforkServer) -> str:
    command = [sys.executable, "-m", "firefork.cli.main", "console", "--data-dir", str(server.data_dir)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main()
