"""Our status page to maintenance and back: `python -m plugins.maintenance on|off --env NAME`.

What the components were is written down before the first of them is changed, so that `off` brings exactly
that back, and either command can be run again after it was interrupted. After `off` none of them is under
maintenance: each is what it was before, or operational where nobody knows that.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from plugins.clients.status_pages import StatusPages
from plugins.configuration import ConfigurationError, load_environment
from plugins.journal import Before, Journal, JournalUnreadable
from plugins.masking import Masker
from plugins.model.environment import Environment
from plugins.model.outcomes import NoAnswer, Unverified
from plugins.model.status import Component, ComponentStatus, named
from plugins.model.words import Mutations

DONE, NOT_DONE, USAGE = 0, 1, 2
"""Exit codes. Not done means perhaps in part: it says which."""

_PATIENCE_S = 90.0
"""For all of it: Statuspage takes one request a second, as counted over a minute."""


class Refused(Exception):
    """The environment does not allow it, or does not say enough; the message says how to mend it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    asked = _parser().parse_args(arguments)
    root = Path.cwd()
    masker = Masker()
    try:
        environment = load_environment(
            asked.env, root / "environments", overrides={}, variables=os.environ, dotenv=root / ".env"
        )
        masker.learn(environment)
        pages = _pages(environment)
        journal = Journal(root / "reports" / environment.name / "maintenance.json", _page_of(environment))
        for line in (on if asked.way == "on" else off)(environment, pages, journal):
            sys.stdout.write(f"{masker.text(line)}\n")
            sys.stdout.flush()
    except (ConfigurationError, Refused, Unverified) as error:
        return _say(masker.text(str(error)), USAGE)
    except (NoAnswer, JournalUnreadable, OSError) as error:
        again = f"run it again to finish: make maintenance ENV={asked.env} ARGS={asked.way}"
        return _say(masker.text(f"{error}\nnot finished; what is done is listed above; {again}"), NOT_DONE)
    except KeyboardInterrupt:
        return _say("interrupted; what is done is listed above; run it again to finish", NOT_DONE)
    return DONE


def on(environment: Environment, pages: StatusPages, journal: Journal) -> Iterator[str]:
    """Set the components to maintenance; gives a line about each.

    Raises:
        Refused: a component that the environment names is not on the page.
        NoAnswer: the page does not tell, or does not take it.
        JournalUnreadable, OSError: what they were cannot be written down. Nothing is changed then.
    """
    parts = _touched(environment, pages.own_components())
    known = {before.id: before for before in journal.read()}
    journal.write(({part.id: Before(part.id, part.name, part.status) for part in parts} | known).values())
    for part in parts:
        if part.status is ComponentStatus.UNDER_MAINTENANCE:
            yield f"{part.name}: {_told(part.status)} already"
        else:
            yield _set(pages, part, ComponentStatus.UNDER_MAINTENANCE)


def off(environment: Environment, pages: StatusPages, journal: Journal) -> Iterator[str]:
    """Bring back what the components were; gives a line about each.

    Raises:
        Refused, NoAnswer, JournalUnreadable, OSError: as of `on`.
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
            yield f"{part.name}: {_told(part.status)}, left as it is"
            continue
        was = known[part.id].status if part.id in known else ComponentStatus.OPERATIONAL
        back = ComponentStatus.OPERATIONAL if was is ComponentStatus.UNDER_MAINTENANCE else was
        yield _set(pages, part, back)
    journal.forget()


def _set(pages: StatusPages, part: Component, status: ComponentStatus) -> str:
    pages.set_status(part, status)
    return f"{part.name}: {_told(part.status)} → {_told(status)}"


def _touched(environment: Environment, parts: Sequence[Component]) -> list[Component]:
    """The components that a deployment touches. A group is not set: it shows what its members are."""
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
    return StatusPages(
        table, timeouts=environment.timeouts, record=lambda _: None, remaining=lambda: _PATIENCE_S
    )


def _page_of(environment: Environment) -> str:
    return environment.status_pages.own_page_id if environment.status_pages else ""


def _told(status: ComponentStatus) -> str:
    return status.value.replace("_", " ") or "untold"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m plugins.maintenance", description="Set our status page to maintenance, and back."
    )
    parser.add_argument("way", choices=["on", "off"], help="to maintenance, or back to what it was before")
    parser.add_argument("--env", required=True, metavar="NAME", help="the environment whose page it is")
    return parser


def _say(why: str, code: int) -> int:
    sys.stderr.write(f"{why}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
