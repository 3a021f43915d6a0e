"""Find Chromium, start it, and explain how to install it."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, Unverified
from kamiyo_verify.model.writing.text import cut

if TYPE_CHECKING:
    from playwright.async_api import Browser, Playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
_GET_ONE = "apt-get install chromium, or .venv/bin/playwright install chromium"

# Playwright's own arguments cover the rest. These turn off the browser's own network traffic.
_ARGUMENTS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
    "--no-pings",
)


def lacking(executable: str) -> str:
    """What is missing and how to install it; "" if a browser can be started. Starts nothing.

    Args:
        executable: of the environment's [browser]; "" if it names none.
    """
    if find_spec("playwright") is None:
        return "there is no browser to look with: Playwright is not installed; run: make browser"
    if executable:
        found = shutil.which(executable)
        return "" if found else f"[browser] executable: there is no program {executable}"
    if _own_installed() or _of_the_system():
        return ""
    return f"there is no browser to look with: no Chromium is installed; run: {_GET_ONE}"


async def launch(playwright: Playwright, executable: str, seconds: float) -> Browser:
    """Start the browser, without a window.

    Raises:
        Unverified: no browser is installed.
        NoAnswer: BROWSER: it does not start.
    """
    from playwright.async_api import Error  # noqa: PLC0415 - importing it takes as long as many checks

    if why := lacking(executable):
        raise Unverified(why)
    system = shutil.which(executable) if executable else _of_the_system()
    programs = [None, system] if not executable and _own_installed() else [system]
    # Chromium's sandbox needs a user namespace; root and many containers cannot create one.
    sandboxes = [False] if _is_root() else [True, False]
    problem = ""
    for program in dict.fromkeys(programs):
        for sandbox in sandboxes:
            try:
                return await playwright.chromium.launch(
                    executable_path=program,
                    chromium_sandbox=sandbox,
                    args=_ARGUMENTS,
                    timeout=seconds * 1000,
                )
            except Error as error:
                problem = f"{program or 'the Chromium of Playwright'} does not start: {_why(str(error))}"
    raise NoAnswer(NoAnswerKind.BROWSER, f"{problem}; another one can be had by: {_GET_ONE}")


def _own_installed() -> bool:
    """Playwright has downloaded a browser; its version is known only after the start."""
    return any(_own_folder().glob("chromium*-*/*"))


def _own_folder() -> Path:
    named = os.environ.get("PLAYWRIGHT_BROWSERS_PATH")
    if named and named != "0":
        return Path(named)
    if sys.platform == "darwin":
        return Path.home() / "Library/Caches/ms-playwright"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", "")) / "ms-playwright"
    return Path.home() / ".cache/ms-playwright"


def _of_the_system() -> str | None:
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    return found or (str(_MAC) if _MAC.exists() else None)


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _why(description: str) -> str:
    """The line of Playwright's long message that names the cause."""
    lines = [line.strip(" -╔║╚═") for line in description.splitlines()]
    telling = [line for line in lines if "error" in line.lower() or "exist" in line.lower()]
    return cut(next(iter([*telling, *filter(None, lines)]), "it does not say why"), 200)
