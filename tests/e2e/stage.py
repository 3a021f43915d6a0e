"""The sandbox behind a misbehaving proxy for each service, and the suite that looks at it through them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.runs import Ran, begun, brief_environment, ledger_in, variables
from tests.support.misbehaving_proxy import MisbehavingProxy, misbehaving
from tests.support.sandbox_process import Sandbox, request

QUICK = "postdeploy and not performance"

PRODUCTION: dict[str, Any] = {
    "connect": "5",
    "answer": "15",
    "item": "30",
    "spacing_s": "1",
    "final_after_s": "60",
    "at_most_s": "150",
    "requests": "300",
    "per_minute": "60",
    "seconds": "300",
}
"""The pace, timeouts and confirmation of environments/prod.toml."""


_PATIENCE_S = 400


@dataclass
class Stage:
    """A sandbox and its proxies.

    Attributes:
        folder: of the environment files, the reports and the one ledger of all runs.
        runs: how many there were.
    """

    sandbox: Sandbox
    folder: Path
    api: MisbehavingProxy
    frontend: MisbehavingProxy
    runs: int = field(default=0)

    def environment(self, **settings: str) -> Path:
        """Write an environment file whose services are the proxies; settings replace those of that file."""
        path = brief_environment(self.folder, self.sandbox)
        text = path.read_text(encoding="utf-8")
        for proxy in (self.api, self.frontend):
            text = text.replace(proxy.upstream, proxy.url)
            text = text.replace(proxy.upstream.replace("http", "ws", 1), proxy.url.replace("http", "ws", 1))
        for key, value in settings.items():
            text, count = re.subn(rf"(?m)^{key} = .*$", f"{key} = {value}", text)
            assert count, f"the environment has no {key}"
        path.write_text(text, encoding="utf-8")
        return path

    def verify(
        self, *arguments: str, mark: str = QUICK, given: Mapping[str, str] | None = None, **settings: str
    ) -> Ran:
        """Run the suite.

        Args:
            arguments: more of pytest's.
            mark: what is selected.
            given: credentials in place of those of the sandbox.
            settings: replace those of the environment file.
        """
        with self.begun(*arguments, mark=mark, given=given, **settings) as process:
            output, _ = process.communicate(timeout=_PATIENCE_S)
        return Ran(process.returncode, output, self.report)

    @contextmanager
    def begun(
        self, *arguments: str, mark: str = QUICK, given: Mapping[str, str] | None = None, **settings: str
    ) -> Iterator[subprocess.Popen[str]]:
        """Begin such a run, for the length of the block."""
        self.runs += 1
        path = self.environment(**settings)
        known = {**variables(self.sandbox), "SANDBOX_LEDGER_URL": ledger_in(self.folder), **(given or {})}
        with begun(self.report, "-m", mark, f"--env={path}", *arguments, variables=known) as process:
            yield process

    @property
    def report(self) -> Path:
        """The folder of the last run's report."""
        return self.folder / f"r{self.runs}"


@contextmanager
def staged(sandbox: Sandbox, folder: Path, host: str = "127.0.0.1") -> Iterator[Stage]:
    """The sandbox, healthy, behind proxies that break nothing yet."""
    request("DELETE", f"{sandbox.control}/faults").raise_for_status()
    folder.mkdir(exist_ok=True)
    with ExitStack() as stack:
        proxies = [stack.enter_context(misbehaving(url, host)) for url in (sandbox.api, sandbox.frontend)]
        for proxy in proxies:
            proxy.beside = [other for other in proxies if other is not proxy]
        api, frontend = proxies
        yield Stage(sandbox, folder, api, frontend)


def outage_of(ran: Ran, service: str) -> dict[str, object]:
    """Return the one outage of a service."""
    found = [one for one in ran.verdict["outages"] if one["service"] == service]
    assert len(found) == 1, ran.output
    return dict(found[0])
