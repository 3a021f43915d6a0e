"""Exit codes of a verification run."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of a run. Only `ROLL_BACK` may trigger automation."""

    PROCEED = 0
    INTERRUPTED = 2
    """pytest's own: the run was interrupted before all items were tried."""
    INTERNAL_ERROR = 3
    """pytest's own: no verdict could be made."""
    USAGE_ERROR = 4
    """pytest's own: the command line, the environment or the runbook is wrong; nothing was run."""
    HOLD_OR_FIX_FORWARD = 10
    ROLL_BACK = 20
    INCONCLUSIVE = 30
