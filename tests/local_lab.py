"""A JupyterLab as `make lab` starts it, on folders of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from local_server import closed_port

from scripts import lab


class Lab:
    """What a running JupyterLab serves."""

    def __init__(self, server: "subprocess.Popen[bytes]", port: int) -> None:
        self.server, self.address = server, f"http://127.0.0.1:{port}"

    def answer(self, path: str, what: str = "text") -> str:
        """What is served, or the address that it leads to, once it is."""
        for _ in range(600):
            assert self.server.poll() is None, "JupyterLab has ended"
            try:
                with urlopen(self.address + path, timeout=30) as response:
                    return response.url if what == "url" else response.read().decode()
            except OSError:
                time.sleep(0.2)
        raise TimeoutError(path)


@contextmanager
def jupyterlab(folder: Path, *options: str) -> Iterator[Lab]:
    """On ``folder``/runs, with settings and log in ``folder``."""
    port = closed_port()
    quiet = ["--no-browser", f"--port={port}", "--IdentityProvider.token=", "--ServerApp.allow_root=True", *options]
    command = [sys.executable, "-m", "jupyterlab", *lab.settings(folder / "runs"), *quiet]
    own = {"HOME": str(folder), "JUPYTER_CONFIG_DIR": str(folder), "JUPYTER_RUNTIME_DIR": str(folder)}
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, env=os.environ | own, stdout=log, stderr=log)
    try:
        yield Lab(server, port)
    finally:
        server.terminate()
        server.wait(30)
