"""Read the state of the host with retries; stop with a message if it does not answer."""

from __future__ import annotations

import time

from kamiyo_verify.model.hosting.rollback import Target
from kamiyo_verify.model.hosting.services import Deploy, ServiceState
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind
from kamiyo_verify.rollback.console import ConsoleReporter
from kamiyo_verify.rollback.gateway import HostingGateway

_LOOKS = 3
"""How often a read is tried before the rollback stops."""


class Stop(Exception):
    """A rollback cannot go on; the message says why."""


class Watch:
    """Reads the state of the host.

    Args:
        gateway: reads the host.
        console: prints what the rollback waits for.
        poll_s: seconds between two reads.
    """

    def __init__(self, gateway: HostingGateway, console: ConsoleReporter, poll_s: float) -> None:
        self._gateway = gateway
        self._console = console
        self._poll_s = poll_s

    def look(self, target: Target) -> ServiceState:
        """Return the current state of a service.

        Raises:
            Stop: the host did not answer three times in a row.
        """
        for left in reversed(range(_LOOKS)):
            try:
                return self._gateway.state(target.service)
            except NoAnswer as problem:
                if not left or problem.kind is NoAnswerKind.CREDENTIAL:
                    raise Stop(f"{target.host} does not tell how {target.name} stands: {problem}") from None
                self.pause(f"  … {target.name}: {problem}; asking again")
        raise AssertionError("the last look returns or raises")

    def ask(self, target: Target, deploy_id: str) -> Deploy:
        """Return one deploy.

        Raises:
            Stop: the host does not answer.
        """
        try:
            return self._gateway.deploy(target.service, deploy_id)
        except NoAnswer as problem:
            raise Stop(f"{target.name}: {target.host} does not tell how {deploy_id} is: {problem}") from None

    def pause(self, text: str) -> None:
        """Print what the rollback waits for, and sleep for `poll_s`."""
        self._console.wait(text)
        time.sleep(self._poll_s)


def in_words(deploy: Deploy) -> str:
    """Format a deploy's status as words."""
    return deploy.status.replace("_", " ")


def still_on(target: Target, why: str) -> Stop:
    """Build the error for auto-deploy that stays on."""
    return Stop(
        f"auto-deploy of {target.name} cannot be switched off: {why}. With it on, the next push would undo a"
        " rollback"
    )


def refused(target: Target, why: str) -> Stop:
    """Build the error for a rollback that the host refuses: the reason, and the alternatives."""
    where = f", or {target.dashboard} → Manual Deploy" if target.dashboard else ""
    return Stop(
        f"{target.host} refuses to roll {target.name} back to {target.to}: {why}. Where its build is no"
        f" longer kept, name another deploy (--to {target.service}=DEPLOY), or"
        f" {target.anew or f'deploy commit {target.to_commit[:7]} anew, which builds it'}{where}"
    )
