"""The git side of the project's checkout. It asks; it changes nothing, not even what was fetched."""

from __future__ import annotations

from dataclasses import dataclass

from plugins.clients.commands import Commands
from plugins.model.outcomes import NoAnswer, NoAnswerKind


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the checkout stands against the branch that is deployed.

    Attributes:
        head: the commit that is checked out.
        remote: the commit at the tip of the branch on the remote.
        contains_remote: the checkout has all that the remote branch has.
        changes: paths with changes that are not committed.
    """

    head: str
    remote: str
    contains_remote: bool
    changes: tuple[str, ...]


class Git:
    """One checkout.

    Args:
        commands: runs git in the checkout's folder.
        within_s: seconds for each question; the remote's network included.
    """

    def __init__(self, commands: Commands, *, within_s: float = 20) -> None:
        self._commands = commands
        self._within_s = within_s

    def head(self) -> str:
        """The commit that is checked out.

        Raises:
            NoAnswer: there is no checkout, or no commit in it.
        """
        return self._ask("rev-parse", "--verify", "HEAD").strip()

    def standing(self, branch: str, remote: str = "origin") -> Standing:
        """How the checkout stands against the branch on its remote.

        Raises:
            NoAnswer: no checkout, no such remote or branch, or the remote cannot be reached.
        """
        head = self.head()
        reference = f"refs/heads/{branch}"
        listed = self._ask("ls-remote", "--exit-code", remote, reference).splitlines()
        # A remote may add warnings of its own; the line that counts is "<commit>\t<reference>".
        tip = next(line.partition("\t")[0] for line in listed if line.endswith("\t" + reference))
        return Standing(head, tip, self._contains(tip, head), self._changes())

    def _changes(self) -> tuple[str, ...]:
        status = self._ask("status", "--porcelain=v1", "-z", "--untracked-files=normal")
        return tuple(entry[3:] for entry in status.split("\0") if len(entry) > 3)

    def _contains(self, ancestor: str, commit: str) -> bool:
        if ancestor == commit:
            return True
        asked = ("git", "merge-base", "--is-ancestor", ancestor, commit)
        # 1: it is not; 128: the commit is not even here, so the checkout is behind.
        return self._commands.run(asked, within_s=self._within_s).code == 0

    def _ask(self, *words: str) -> str:
        ran = self._commands.run(("git", *words), within_s=self._within_s)
        if ran.code:
            raise NoAnswer(NoAnswerKind.UNUSABLE, f"{ran.command}: {ran.last_line}")
        return ran.tail
