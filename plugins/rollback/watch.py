"""Looks at Render with patience, and says so when it does not tell."""

from __future__ import annotations

import time

from plugins.model.hosting import Deploy
from plugins.model.outcomes import NoAnswer, NoAnswerKind
from plugins.model.rollback import Standing, Target
from plugins.rollback.hands import Hands
from plugins.rollback.narrator import Narrator

_LOOKS = 3
"""How often a look is tried before it counts as not told."""


class Stop(Exception):
    """A rollback cannot go on; the message says why."""


class Watch:
    """Looks.

    Args:
        hands: whom to ask.
        narrator: tells people what is waited for.
        poll_s: between two looks, in seconds.
    """

    def __init__(self, hands: Hands, narrator: Narrator, poll_s: float) -> None:
        self._hands = hands
        self._narrator = narrator
        self._poll_s = poll_s

    def look(self, target: Target) -> Standing:
        """How a service stands now.

        Raises:
            Stop: Render does not tell, asked three times.
        """
        for left in reversed(range(_LOOKS)):
            try:
                return self._hands.look(target.service)
            except NoAnswer as problem:
                if not left or problem.kind is NoAnswerKind.CREDENTIAL:
                    raise Stop(f"Render does not tell how {target.name} stands: {problem}") from None
                self.pause(f"  … {target.name}: {problem}; asking again")
        raise AssertionError("the last look returns or raises")

    def ask(self, target: Target, deploy_id: str) -> Deploy:
        """One deploy.

        Raises:
            Stop: Render does not tell.
        """
        try:
            return self._hands.deploy(target, deploy_id)
        except NoAnswer as problem:
            raise Stop(f"{target.name}: Render does not tell how {deploy_id} is: {problem}") from None

    def pause(self, text: str) -> None:
        """Tell what is waited for, and wait a little."""
        self._narrator.wait(text)
        time.sleep(self._poll_s)


def in_words(deploy: Deploy) -> str:
    """A deploy's status as people say it."""
    return deploy.status.replace("_", " ")
