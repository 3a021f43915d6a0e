"""What to do with the call: the command or the action that comes next."""

from __future__ import annotations

from plugins.judge.evidence import Evidence
from plugins.model.words import Action, Phase


def next_step(evidence: Evidence, action: Action) -> str:
    """The command or action to take now."""
    again = _command(evidence)
    match action:
        case Action.PROCEED if evidence.phases == (Phase.PREFLIGHT,):
            return "announce the deployment, then deploy"
        case Action.PROCEED:
            return "announce that it succeeded, then follow up within the hour"
        case Action.HOLD:
            return f"do not deploy; repair, then {again}"
        case Action.FIX_FORWARD:
            return f"keep this version; repair, deploy again, then {again}"
        case Action.ROLL_BACK:
            by_hand = f"take it back as told below, then {_command(evidence, Phase.ROLLBACK)}"
            known = any(one.last_good for one in evidence.hosted)
            return (
                f"make rollback ENV={evidence.environment}, which asks first; or {by_hand}"
                if known
                else by_hand
            )
        case Action.INCONCLUSIVE:
            return f"decide nothing from this run; supply what is missing, then {again}"


def _command(evidence: Evidence, *phases: Phase) -> str:
    """How to run these phases, or the same ones, again; the performance items go along with postdeploy."""
    wanted = phases or evidence.phases
    names = [name for name in wanted if name is not Phase.PERFORMANCE or Phase.POSTDEPLOY not in wanted]
    marks = " or ".join(names)
    selection = f" -m {marks}" if len(names) == 1 else f' -m "{marks}"' if names else ""
    commit = f" --commit {evidence.commit}" if evidence.commit and not phases else ""
    return f"pytest{selection} --env {evidence.environment}{commit}"
