"""A page in headless Chromium, driven over its DevTools protocol."""

import json
import shutil
import subprocess
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import websocket

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = ("--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", "--window-size=1300,1000")


class Page:
    """A page: scripts run in it, keys are pressed, a picture is taken."""

    def __init__(self, address: str) -> None:
        self.socket, self.number = websocket.create_connection(address, timeout=60, suppress_origin=True), 0

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while (answer := json.loads(self.socket.recv())).get("id") != self.number:
            pass
        assert "error" not in answer, answer
        return answer["result"]

    def value(self, script: str) -> Any:
        """Of an expression, awaited if it is a promise."""
        found = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def wait(self, script: str, seconds: float = 300) -> Any:
        """The first value that is something."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if found := self.value(script):
                return found
            time.sleep(0.2)
        raise TimeoutError(f"{script}: nothing after {seconds} s")

    def press(self, key: str) -> None:
        """A key, by whatever has the focus."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key)

    def picture(self, path: Path) -> None:
        path.write_bytes(b64decode(self.call("Page.captureScreenshot")["data"]))


@contextmanager
def chromium(address: str, folder: Path) -> Iterator[Page]:
    """The page at an address; the browser keeps what it keeps in ``folder``."""
    command = [str(PROGRAM), *QUIET, f"--user-data-dir={folder}", "about:blank"]
    browser, noted = subprocess.Popen(command, stderr=subprocess.DEVNULL), folder / "DevToolsActivePort"
    try:
        while not noted.exists() or not noted.read_text():
            assert browser.poll() is None, "Chromium has ended"
            time.sleep(0.1)
        port = noted.read_text().split()[0]
        with urlopen(Request(f"http://127.0.0.1:{port}/json/new?{address}", method="PUT"), timeout=60) as made:
            yield Page(json.load(made)["webSocketDebuggerUrl"])
    finally:
        browser.terminate()
        browser.wait(30)
