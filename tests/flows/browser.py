"""Debian's Chromium without a window, driven over its DevTools protocol: what a user would see.

``python tests/flows/browser.py URL PICTURE.png [TEXT ...]`` waits for the texts and takes the picture.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

CHROMIUM = shutil.which("chromium")
REASON = "needs Debian's package chromium"
SIZE = (1280, 900)
# A page of a crowded machine may take its time; it is asked until then.
PATIENCE_SECONDS = 90


class Page:
    """One tab."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._number = 0

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command of the DevTools protocol and its answer; events are passed over."""
        self._number += 1
        asked = {"id": self._number, "method": method, "params": parameters}
        self._socket.send(json.dumps(asked))
        while True:
            answer = json.loads(self._socket.recv(timeout=PATIENCE_SECONDS))
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return dict(answer["result"])

    def run(self, script: str) -> Any:
        """The value of an expression of JavaScript."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def text(self) -> str:
        """The text as it is rendered (what is hidden by styles is not in it), with plain blanks."""
        shown = str(self.run("document.body ? document.body.innerText : ''"))
        return shown.replace("\N{NO-BREAK SPACE}", " ")

    def open(self, url: str, *texts: str) -> str:
        """Go to ``url`` and return the page's text once it has all ``texts``."""
        # Two addresses that differ behind the # only would be one page.
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=url)
        return self.wait(*texts)

    def wait(self, *texts: str) -> str:
        """The page's text once it has all ``texts``; AssertionError names what never came."""
        end = time.monotonic() + PATIENCE_SECONDS
        while missing := [text for text in texts if text not in (shown := self.text())]:
            assert time.monotonic() < end, f"{missing} never came; the page says:\n{shown[:2000]}"
            time.sleep(0.2)
        return shown if texts else self.text()

    def until(self, script: str) -> None:
        """Wait until an expression of JavaScript is true."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not self.run(script):
            assert time.monotonic() < end, f"never true: {script}\n{self.text()[:2000]}"
            time.sleep(0.2)

    def click(self, selector: str, text: str = "") -> None:
        """Click the first visible element of a CSS selector that has ``text`` in it."""
        script = f"""(() => {{
            const found = [...document.querySelectorAll({json.dumps(selector)})].find(
                each => each.offsetParent && each.innerText.includes({json.dumps(text)}));
            if (found) found.click();
            return Boolean(found);
        }})()"""
        self.until(script)

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self.call("Input.insertText", text=text)

    def rest(self) -> None:
        """Let what moves in (bars, dialogs) or is checked behind a form come to rest."""
        time.sleep(1.5)

    def picture(self, path: Path) -> None:
        """Save what is in view as PNG."""
        self.rest()
        data = self.call("Page.captureScreenshot", format="png")["data"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(data))


@contextmanager
def chromium() -> Iterator[Page]:
    """A browser with an empty profile that knows no host but this one; gone afterwards."""
    assert CHROMIUM is not None
    profile = tempfile.mkdtemp(prefix="chromium-")
    command = [
        CHROMIUM,
        "--headless",
        "--remote-debugging-port=0",
        f"--user-data-dir={profile}",
        f"--window-size={SIZE[0]},{SIZE[1]}",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        "--no-first-run",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        # Its sandbox refuses to run as root, as CI does.
        *(["--no-sandbox"] if os.getuid() == 0 else []),
        "about:blank",
    ]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, start_new_session=True, **quiet)
    try:
        note = Path(profile, "DevToolsActivePort")
        end = time.monotonic() + PATIENCE_SECONDS
        while not note.is_file() or not note.read_text().strip():
            assert process.poll() is None and time.monotonic() < end, "Chromium did not start"
            time.sleep(0.1)
        port = note.read_text().split()[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=30) as answer:
            tabs = json.loads(answer.read())
        address = next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
        # Pictures come as one message.
        with connect(address, max_size=None, proxy=None) as socket:
            page = Page(socket)
            width, height = SIZE
            page.call(
                "Emulation.setDeviceMetricsOverride",
                width=width,
                height=height,
                deviceScaleFactor=1,
                mobile=False,
            )
            yield page
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(profile, ignore_errors=True)


if __name__ == "__main__":
    address, file, *expected = sys.argv[1:]
    with chromium() as tab:
        print(tab.open(address, *expected))
        tab.picture(Path(file))
