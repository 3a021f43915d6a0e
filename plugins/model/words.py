"""The closed vocabularies: one enum per concept, so that no status is ever a bare string."""

from enum import StrEnum


class Phase(StrEnum):
    """When in a deployment an item is checked; a folder of checks/ each."""

    PREFLIGHT = "preflight"
    DEPLOY = "deploy"
    POSTDEPLOY = "postdeploy"
    PERFORMANCE = "performance"
    ROLLBACK = "rollback"
    FOLLOWUP = "followup"


class Status(StrEnum):
    """What became of one item. "Wrong answer" (failed) and "no answer" (error) are two things."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    UNVERIFIED = "unverified"
    NOT_APPLICABLE = "not_applicable"


WORST_FIRST = (
    Status.FAILED,
    Status.ERROR,
    Status.UNVERIFIED,
    Status.PASSED,
    Status.NOT_APPLICABLE,
)
"""The one order by which several outcomes of an item become its status."""


class Impact(StrEnum):
    """What users lose when an item fails."""

    CORE = "core"
    DATA = "data"
    AUTH = "auth"
    PAYMENTS = "payments"
    SECURITY = "security"
    FEATURE = "feature"
    UI = "ui"
    PERFORMANCE = "performance"
    PROCESS = "process"


class Attribution(StrEnum):
    """Whose doing a failure is."""

    INTRODUCED = "introduced"
    PRE_EXISTING = "pre_existing"
    THIRD_PARTY = "third_party"
    PROBER = "prober"
    UNKNOWN = "unknown"


class SloVerdict(StrEnum):
    """What the evidence says of an objective."""

    MET = "met"
    BREACHED = "breached"
    INSUFFICIENT_EVIDENCE = "insufficient_evidence"


class Stopping(StrEnum):
    """What ended a sampling: a number settled beforehand, or a rule that looked at the samples."""

    FIXED = "fixed"
    SEQUENTIAL = "sequential"


class Action(StrEnum):
    """What the suite recommends."""

    PROCEED = "proceed"
    HOLD = "hold"
    FIX_FORWARD = "fix_forward"
    ROLL_BACK = "roll_back"
    INCONCLUSIVE = "inconclusive"

    @property
    def exit_code(self) -> int:
        """The process exit code of this recommendation; only 20 may trigger automation."""
        return _EXIT_CODES[self]


_EXIT_CODES = {
    Action.PROCEED: 0,
    Action.HOLD: 10,
    Action.FIX_FORWARD: 10,
    Action.ROLL_BACK: 20,
    Action.INCONCLUSIVE: 30,
}


class Part(StrEnum):
    """A part of the platform that an environment may declare absent."""

    BROWSER = "browser"
    DATABASE = "database"
    PAYMENTS = "payments"
    PROMETHEUS = "prometheus"
    REALTIME = "realtime"
    SIGN_IN = "sign-in"
    SLOW_QUERIES = "slow-queries"


class Supplier(StrEnum):
    """What an item depends on that is not ours."""

    RENDER = "render"
    RENDER_BUILDS = "render-builds"
    STRIPE = "stripe"
    SENTRY = "sentry"


class WebService(StrEnum):
    """One of the two services that a rollback can take back."""

    API = "api"
    FRONTEND = "frontend"


class Explains(StrEnum):
    """What a supplier's trouble explains: any failure of ours, or only silence (no answer, or 5xx)."""

    ANY = "any"
    SILENCE = "silence"


class Mutations(StrEnum):
    """Whether checks that write to the platform may run."""

    FORBIDDEN = "forbidden"
    ALLOWED = "allowed"


class Tier(StrEnum):
    """The tier of an API key, lowest first; live updates need pro or higher."""

    ANONYMOUS = "anonymous"
    FREE = "free"
    PRO = "pro"
    TEAM = "team"
    ENTERPRISE = "enterprise"


class Signing(StrEnum):
    """How a delivery to the payment webhook is signed."""

    GOOD = "good"
    BAD = "bad"
    STALE = "stale"
    MISSING = "missing"
