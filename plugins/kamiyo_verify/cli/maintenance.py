"""Set our status page to maintenance and back: `kamiyo-verify maintenance on|off --env NAME`.

The components' statuses are saved before the first change, so that `off` can restore them and either command
can run again after an interruption. After `off` no component is under maintenance: each has its earlier
status, or operational if that is unknown.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from kamiyo_verify.cli.maintenance_journal import Before, Journal, JournalUnreadable
from kamiyo_verify.config.environment import Environment
from kamiyo_verify.config.environments import ConfigurationError, load_environment
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.integrations.statuspage.client import StatusPages
from kamiyo_verify.masking.masker import Masker
from kamiyo_verify.model.outcomes import NoAnswer, Unverified
from kamiyo_verify.model.outside.status import Component, ComponentStatus, named
from kamiyo_verify.model.words import Mutations

DONE, NOT_DONE, USAGE = 0, 1, 2
"""Exit codes. NOT_DONE may mean partly done: the output lists what is done."""

_PATIENCE_S = 90.0
"""Seconds for all requests: Statuspage allows one request a second, averaged over a minute."""


class Refused(Exception):
    """The environment does not allow it, or its settings are incomplete; the message says how to fix them."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = _parser().parse_args(arguments)
    root = Path.cwd()
    masker = Masker()
    try:
        environment = load_environment(
            options.env, root / "environments", overrides={}, variables=os.environ, dotenv=root / ".env"
        )
        masker.learn(environment)
        pages = _pages(environment)
        journal = Journal(root / "reports" / environment.name / "maintenance.json", _page_of(environment))
        for line in (on if options.way == "on" else off)(environment, pages, journal):
            sys.stdout.write(f"{masker.text(line)}\n")
            sys.stdout.flush()
    except (ConfigurationError, Refused, Unverified) as error:
        return _say(masker.text(str(error)), USAGE)
    except (NoAnswer, JournalUnreadable, OSError) as error:
        again = f"run it again to finish: make maintenance ENV={options.env} ARGS={options.way}"
        return _say(masker.text(f"{error}\nnot finished; what is done is listed above; {again}"), NOT_DONE)
    except KeyboardInterrupt:
        return _say("interrupted; what is done is listed above; run it again to finish", NOT_DONE)
    return DONE


def on(environment: Environment, pages: StatusPages, journal: Journal) -> Iterator[str]:
    """Set the components to maintenance; yield a line about each.

    Raises:
        Refused: a component named in the environment is not on the page.
        NoAnswer: the page does not answer, or does not accept the change.
        JournalUnreadable, OSError: the earlier statuses cannot be saved; nothing is changed in that case.
    """
    parts = _touched(environment, pages.own_components())
    known = {before.id: before for before in journal.read()}
    journal.write(({part.id: Before(part.id, part.name, part.status) for part in parts} | known).values())
    for part in parts:
        if part.status is ComponentStatus.UNDER_MAINTENANCE:
            yield f"{part.name}: {_status_text(part.status)} already"
        else:
            yield _set(pages, part, ComponentStatus.UNDER_MAINTENANCE)


def off(environment: Environment, pages: StatusPages, journal: Journal) -> Iterator[str]:
    """Restore the components' earlier statuses; yield a line about each.

    Raises:
        Refused, NoAnswer, JournalUnreadable, OSError: see `on`.
    """
    known = {before.id: before for before in journal.read()}
    if not known:
        yield "what the components were before is not written down here: operational is taken for it"
    listed = {part.id: part for part in pages.own_components()}
    for gone in known.keys() - listed.keys():
        yield f"{known[gone].name}: is not on the page any more"
    parts = [listed[part] for part in listed if part in known] or _touched(environment, [*listed.values()])
    for part in parts:
        if part.status is not ComponentStatus.UNDER_MAINTENANCE:
            yield f"{part.name}: {_status_text(part.status)}, left as it is"
            continue
        was = known[part.id].status if part.id in known else ComponentStatus.OPERATIONAL
        back = ComponentStatus.OPERATIONAL if was is ComponentStatus.UNDER_MAINTENANCE else was
        yield _set(pages, part, back)
    journal.forget()


def _set(pages: StatusPages, part: Component, status: ComponentStatus) -> str:
    pages.set_status(part, status)
    return f"{part.name}: {_status_text(part.status)} → {_status_text(status)}"


def _touched(environment: Environment, parts: Sequence[Component]) -> list[Component]:
    """Return the components that a deployment affects, without groups: a group shows its members' status."""
    pages = environment.status_pages
    names = pages.components if pages else ()
    single = [part for part in parts if not part.group]
    missing = [name for name in names if named(single, name) is None]
    if missing:
        raise Refused(
            f"our status page has no component {', '.join(missing)}: mend [status_pages] components; there "
            f"are: {', '.join(part.name for part in single) or 'none'}"
        )
    return [part for part in single if not names or any(named([part], name) for name in names)]


def _pages(environment: Environment) -> StatusPages:
    table, where = environment.status_pages, f"[status_pages] of environments/{environment.name}.toml"
    if environment.launch is not None:
        raise Refused(f"{environment.name} is started by each run, and has no status page between them")
    if table is None or not table.own_page_id:
        raise Refused(f"{environment.name} names no status page of ours: set own_page_id in {where}")
    if environment.mutations is Mutations.FORBIDDEN and not table.allow_maintenance:
        raise Refused(
            f'mutations = "forbidden" in {environment.name}: to let this command set the status page all the '
            f"same, write allow_maintenance = true in {where}"
        )
    if not table.own_key.present:
        raise Refused(f"{table.own_key.name} is not set: it is the key of the status page")
    return StatusPages(table, ClientContext.unrecorded(environment.timeouts, lambda: _PATIENCE_S))


def _page_of(environment: Environment) -> str:
    return environment.status_pages.own_page_id if environment.status_pages else ""


def _status_text(status: ComponentStatus) -> str:
    return status.value.replace("_", " ") or "untold"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kamiyo-verify maintenance", description="Set our status page to maintenance, and back."
    )
    parser.add_argument("way", choices=["on", "off"], help="to maintenance, or back to what it was before")
    parser.add_argument("--env", required=True, metavar="NAME", help="the environment whose page it is")
    return parser


def _say(why: str, code: int) -> int:
    sys.stderr.write(f"{why}\n")
    return code
