"""A headless Chromium, told what to do through a pair of pipes: opens pages at a width and in a colour scheme."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
# Chromium reads commands from file descriptor 3 and writes answers to 4; a new process cannot be handed them by number.
_LAUNCH = """
import fcntl, os, sys
reads, writes = (fcntl.fcntl(int(given), fcntl.F_DUPFD, 10) for given in sys.argv[1:3])
os.dup2(reads, 3)
os.dup2(writes, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


def executable() -> str | None:
    """Where a Chromium is on this machine; None where there is none."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Browser:
    """One running browser with one tab."""

    def __init__(self, program: str, profile: Path) -> None:
        """Start `program` with its own profile in the folder `profile`."""
        reads, self._commands = os.pipe()
        answers, writes = os.pipe()
        options = (
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-software-rasterizer",
            "--hide-scrollbars", "--no-first-run",
            "--disable-extensions", "--disable-background-networking", "--remote-debugging-pipe",
            f"--user-data-dir={profile}", "about:blank",
        )  # fmt: skip
        self._process = subprocess.Popen(  # noqa: S603 - the browser of this machine
            [sys.executable, "-c", _LAUNCH, str(reads), str(writes), program, *options],
            pass_fds=(reads, writes),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(reads)
        os.close(writes)
        self._answers = os.fdopen(answers, "rb")
        self._left = b""
        self._number = 0
        self._session = ""
        target = self.command("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.command("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.command("Page.enable")

    def __enter__(self) -> Browser:
        """The browser itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the browser."""
        self._process.kill()
        self._process.wait()
        os.close(self._commands)
        self._answers.close()

    def open(self, page: Path, *, width: int, dark: bool) -> None:
        """Load a file in a window of so many pixels, in the light or the dark colour scheme.

        RuntimeError when it cannot be loaded.
        """
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=300, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.command("Emulation.setEmulatedMedia", features=[scheme])
        answer = self.command("Page.navigate", url=page.resolve().as_uri())
        if answer.get("errorText"):
            raise RuntimeError(f"{page}: {answer['errorText']}")
        for message in self._messages():
            if message.get("method") == "Page.loadEventFired":
                return

    def evaluate(self, script: str) -> Any:
        """What an expression of JavaScript gives in the page, waited for where it is a promise.

        RuntimeError when it throws.
        """
        answer = self.command("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"the page's script failed: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def command(self, method: str, **parameters: object) -> dict[str, Any]:
        """Send one command of Chromium's DevTools protocol and give its answer."""
        self._number += 1
        message: dict[str, object] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        for answer in self._messages():
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result
        raise RuntimeError(f"{method}: the browser ended")

    def _messages(self) -> Iterator[dict[str, Any]]:
        while True:
            while b"\0" not in self._left:
                more = self._answers.read1(1 << 16)
                if not more:
                    return
                self._left += more
            one, self._left = self._left.split(b"\0", 1)
            yield json.loads(one)


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A browser with a profile in the folder `profile`; RuntimeError where this machine has none."""
    program = executable()
    if program is None:
        raise RuntimeError(f"no browser; one of {NAMES} has to be on PATH")
    with Browser(program, profile) as started:
        yield started
