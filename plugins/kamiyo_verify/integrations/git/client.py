"""Read the project's git checkout; never changes it, and fetches nothing."""

from __future__ import annotations

from dataclasses import dataclass

from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind
from kamiyo_verify.processes.commands import Commands


@dataclass(frozen=True, slots=True)
class BranchState:
    """The state of the checkout, compared with the deployed branch.

    Attributes:
        head: the commit that is checked out.
        remote: the commit at the tip of the branch on the remote.
        contains_remote: the checkout contains all commits of the remote branch.
        changes: paths with uncommitted changes.
    """

    head: str
    remote: str
    contains_remote: bool
    changes: tuple[str, ...]


class Git:
    """One checkout.

    Args:
        commands: runs git in the checkout's folder.
        within_s: seconds for each command, including the remote's network.
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

    def standing(self, branch: str, remote: str = "origin") -> BranchState:
        """Compare the checkout with the branch on its remote.

        Raises:
            NoAnswer: no checkout, no such remote or branch, or the remote cannot be reached.
        """
        head = self.head()
        reference = f"refs/heads/{branch}"
        listed = self._ask("ls-remote", "--exit-code", remote, reference).splitlines()
        # A remote may add warnings of its own; the line to read is "<commit>\t<reference>".
        tip = next(line.partition("\t")[0] for line in listed if line.endswith("\t" + reference))
        return BranchState(head, tip, self._contains(tip, head), self._changes())

    def _changes(self) -> tuple[str, ...]:
        status = self._ask("status", "--porcelain=v1", "-z", "--untracked-files=normal")
        return tuple(entry[3:] for entry in status.split("\0") if len(entry) > 3)

    def _contains(self, ancestor: str, commit: str) -> bool:
        if ancestor == commit:
            return True
        arguments = ("git", "merge-base", "--is-ancestor", ancestor, commit)
        # 1: it is not; 128: the commit is not in the checkout, so the checkout is behind.
        return self._commands.run(arguments, within_s=self._within_s).code == 0

    def _ask(self, *words: str) -> str:
        ran = self._commands.run(("git", *words), within_s=self._within_s)
        if ran.code:
            raise NoAnswer(NoAnswerKind.UNUSABLE, f"{ran.command}: {ran.last_line}")
        return ran.tail
