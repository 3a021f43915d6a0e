"""How the tests drive the browser client: over the sandbox, or over pages made up for the purpose."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kamiyo_platform.browser import BrowserClient
from kamiyo_verify.config.environment import Environment
from kamiyo_verify.config.environments import load_environment, with_launched
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.integrations.browser.engine import Engine
from kamiyo_verify.integrations.browser.traces import Trace
from kamiyo_verify.masking.masker import Masker
from kamiyo_verify.model.result import Exchange
from tests.support.sandbox_process import HOUSE, Sandbox

PATIENCE_S = 1.0


@dataclass
class Left:
    """What a visit leaves behind."""

    exchanges: list[Exchange] = field(default_factory=list)
    pictures: list[tuple[str, bytes, str]] = field(default_factory=list)
    traces: list[bytes] = field(default_factory=list)

    @property
    def captions(self) -> list[str]:
        return [caption for caption, _, _ in self.pictures]


def changed(environment: Environment, **tables: Any) -> Environment:
    """With other values in its tables, such as browser={"loads": 3}."""
    data = environment.model_dump()
    for name, table in tables.items():
        data[name] = {**data[name], **table} if isinstance(table, dict) else table
    return Environment.model_validate(data)


def over(sandbox: Sandbox, **tables: Any) -> Environment:
    """The environment of a running sandbox."""
    shipped = load_environment("sandbox", HOUSE / "environments", overrides={}, variables={}, dotenv=None)
    quick = {"patience_s": PATIENCE_S, "loads": 3, **tables.pop("browser", {})}
    return changed(with_launched(shipped, sandbox.launched), browser=quick, **tables)


def over_pages(origin: str, folder: Path, **tables: Any) -> Environment:
    """An environment whose website and API are at that origin."""
    path = folder / "pages.toml"
    path.write_text(
        f'[services.api]\nurl = "{origin}"\n[services.frontend]\nurl = "{origin}"\n', encoding="utf-8"
    )
    loaded = load_environment(str(path), folder, overrides={}, variables={}, dotenv=None)
    quick = {"patience_s": PATIENCE_S, "loads": 3, **tables.pop("browser", {})}
    limits = {"connect": 2.0, "answer": 2.0, **tables.pop("timeouts", {})}
    return changed(loaded, browser=quick, timeouts=limits, **tables)


def client(
    environment: Environment,
    engine: Engine,
    left: Left | None = None,
    *,
    traced: bool = False,
    has_s: float = 20,
) -> BrowserClient:
    """A client that keeps what it leaves in `left`, masked as a run would."""
    left = left or Left()
    masker = Masker()
    masker.learn(environment)
    return BrowserClient(
        environment,
        engine,
        ClientContext(environment.timeouts, left.exchanges.append, lambda: has_s),
        keep=lambda caption, picture, kind: left.pictures.append((caption, picture, kind)),
        mask=masker.text,
        trace=Trace(left.traces.append, masker.data) if traced else None,
    )
