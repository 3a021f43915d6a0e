"""The closed vocabularies: one enum per concept, so that no status is a bare string."""

from enum import StrEnum

from kamiyo_verify.model.exit_codes import ExitCode


class Phase(StrEnum):
    """The phase of a deployment in which an item is checked; each has a folder in checks/."""

    PREFLIGHT = "preflight"
    DEPLOY = "deploy"
    POSTDEPLOY = "postdeploy"
    PERFORMANCE = "performance"
    ROLLBACK = "rollback"
    FOLLOWUP = "followup"


class Status(StrEnum):
    """The status of one item. "Wrong answer" (failed) and "no answer" (error) are different states."""

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
"""The order of priority by which several outcomes of an item become its status."""


class FailureKind(StrEnum):
    """How an item failed, which determines what its failure can prove.

    `NO_ANSWER`, `SERVER_ERROR` and `WRONG_FORMAT` prove only that a service does not answer properly, and
    `COMMAND_FAILED` only that a command of the team's own did not succeed.
    """

    NO_ANSWER = "no_answer"
    COMMAND_FAILED = "command_failed"
    SERVER_ERROR = "server_error"
    WRONG_FORMAT = "wrong_format"
    WRONG_STATUS = "wrong_status"
    CREDENTIAL_REFUSED = "credential_refused"
    RATE_LIMITED = "rate_limited"
    CHALLENGED = "challenged"
    OWN_SIDE = "own_side"
    CACHED = "cached"
    ANSWERED_IN_PLACE = "answered_in_place"
    NOT_TRIED = "not_tried"
    WRONG_CONTENT = "wrong_content"


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
    """The attributed cause of a failure."""

    INTRODUCED = "introduced"
    PRE_EXISTING = "pre_existing"
    THIRD_PARTY = "third_party"
    PROBER = "prober"
    UNKNOWN = "unknown"


class SloVerdict(StrEnum):
    """The verdict of the evidence on an objective."""

    MET = "met"
    BREACHED = "breached"
    INSUFFICIENT_EVIDENCE = "insufficient_evidence"


class Stopping(StrEnum):
    """What ended a sampling: a number fixed beforehand, or a rule that evaluated the samples."""

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
        return int(_EXIT_CODES[self])


_EXIT_CODES = {
    Action.PROCEED: ExitCode.PROCEED,
    Action.HOLD: ExitCode.HOLD_OR_FIX_FORWARD,
    Action.FIX_FORWARD: ExitCode.HOLD_OR_FIX_FORWARD,
    Action.ROLL_BACK: ExitCode.ROLL_BACK,
    Action.INCONCLUSIVE: ExitCode.INCONCLUSIVE,
}


class Part(StrEnum):
    """A part of the platform that an environment may declare absent."""

    BROWSER = "browser"
    CROSS_ORIGIN = "cross-origin"
    DATABASE = "database"
    LOAD = "load"
    PAYMENTS = "payments"
    PROMETHEUS = "prometheus"
    REALTIME = "realtime"
    SIGN_IN = "sign-in"
    SLOW_QUERIES = "slow-queries"


class Supplier(StrEnum):
    """A third party that an item depends on."""

    RENDER = "render"
    RENDER_BUILDS = "render-builds"
    STRIPE = "stripe"
    SENTRY = "sentry"


class Explains(StrEnum):
    """What a supplier's problem explains: any failure of ours, or only silence (no answer, or 5xx)."""

    ANY = "any"
    SILENCE = "silence"


class Mutations(StrEnum):
    """Whether checks that write to the platform may run."""

    FORBIDDEN = "forbidden"
    ALLOWED = "allowed"


class DatabaseTls(StrEnum):
    """The TLS requirement for the connection to a production database.

    REQUIRED always encrypts it, whatever the address says; INSECURE follows the address.
    """

    REQUIRED = "required"
    INSECURE = "insecure"


class Tier(StrEnum):
    """The tier of an API key, lowest first; live updates need pro or higher."""

    ANONYMOUS = "anonymous"
    FREE = "free"
    PRO = "pro"
    TEAM = "team"
    ENTERPRISE = "enterprise"

    @property
    def has_live_updates(self) -> bool:
        """Whether its keys may open the WebSocket."""
        return self not in {Tier.ANONYMOUS, Tier.FREE}

    @property
    def may_be_delayed(self) -> bool:
        """Whether its callers may be served data without the newest day."""
        return self in {Tier.ANONYMOUS, Tier.FREE}

    @property
    def per_minute(self) -> int:
        """How many requests a minute the API allows."""
        return _ALLOWED[self][0]

    @property
    def per_hour(self) -> int:
        """How many requests an hour the API allows."""
        return _ALLOWED[self][1]

    @property
    def scarce(self) -> bool:
        """Whether the checks need all the requests that an hour allows, and leave none for samples."""
        return self.per_hour <= _FEW_AN_HOUR


_ALLOWED = {
    Tier.ANONYMOUS: (10, 100),
    Tier.FREE: (10, 42),
    Tier.PRO: (35, 2_083),
    Tier.TEAM: (70, 4_167),
    Tier.ENTERPRISE: (1_000, 99_999),
}
_FEW_AN_HOUR = 100


class Signing(StrEnum):
    """How a delivery to the payment webhook is signed."""

    GOOD = "good"
    BAD = "bad"
    STALE = "stale"
    MISSING = "missing"
