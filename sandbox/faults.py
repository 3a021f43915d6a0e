"""All faults of the sandbox by name, one entry a fault."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

FAULTS: dict[str, str] = {
    # the services as a whole
    "api-down": "the API takes connections and drops them without an answer",
    "api-errors": "every request to the API is answered 500",
    "api-not-ready": "/ready answers 503 and names the database",
    "frontend-down": "the frontend takes connections and drops them without an answer",
    "frontend-blank": "every page of the frontend is 200 with an empty body",
    "frontend-proxy-broken": "/api/health of the frontend answers 503 with a body full of plausible numbers",
    "dashboard-broken": "/dashboard answers 500",
    "frontend-script-error": "the pages' script ends in an uncaught error before it shows anything",
    "dashboard-empty": "the dashboard lists nothing, whatever the API answers",
    "filter-broken-in-page": "the dashboard's filters are not passed on to the API",
    "asset-missing": "the pages' style sheet answers 404",
    "database-down": "the database refuses connections; the API answers 500 for what needs it, /ready 503",
    "health-degraded": "/health is 200 and says degraded; no source is active",
    "errors-two-percent": "every fiftieth request to the API is answered 500",
    "errors-twenty-percent": "every fifth request to the API is answered 500",
    "one-bad-gateway": "the first request to the API's /ready is answered 502, and no other",
    "rate-limited": "every request to both services is answered 429",
    "wrong-commit": "both services say that another commit is answering",
    # data
    "exploits-malformed": "the rows of /exploits have lost their chain",
    "exploits-vanished": "the tables are empty",
    "rows-gone": "nine of ten rows of exploits are gone",
    "counts-contradict": "/exploits has a total of 12, whatever the other endpoints count",
    "records-damaged": "the older half of the exploits has lost its protocol",
    "half-migrated": "the release's migration stopped half-way: its row is neither finished nor rolled back",
    "unapplied-release": "the release runs, and its own migration was rolled back and never applied",
    "details-broken": "/exploits/{tx_hash} answers 500",
    "filter-broken": "the chain and protocol filters of /exploits are ignored",
    "migration-failed": "_prisma_migrations has a row neither finished nor rolled back, begun an hour ago",
    # sign-in
    "auth-misconfigured": "NextAuth answers 500 as without NEXTAUTH_SECRET",
    "auth-wrong-url": "NEXTAUTH_URL is http://localhost:3000",
    "auth-wrong-secret": "NextAuth runs with another secret",
    "auth-provider-missing": "the expected providers are not listed",
    "google-only": "NextAuth lists Google alone and takes no passwords, as the real platform does",
    "sign-in-page-missing": "/auth/signin answers 404",
    "sign-in-broken": "good credentials are refused with 401",
    "sessions-lost": "no stored session is recognised",
    "wrong-password-accepted": "any password signs in",
    # payments
    "webhook-wrong-secret": "the webhook endpoint runs with another secret: good signatures are refused",
    "webhook-unsigned-accepted": "the webhook endpoint accepts anything",
    # live updates
    "websocket-refused": "the WebSocket is refused with 403",
    "websocket-silent": "the WebSocket is accepted, and no heartbeat comes",
    "subscribe-broken": "update_filters is never answered",
    # security
    "cors-any-origin": "every origin is echoed with credentials",
    "cors-own-origin-refused": "no origin is allowed",
    "errors-leak-internals": "error bodies carry a traceback and SQL",
    "admin-open": "admin paths answer without a key",
    "security-headers-missing": "no security headers are sent",
    "api-key-ignored": "every caller is served as anonymous",
    # time
    "slow-a-little": "the API takes 30 % longer",
    "slow-by-sixty-percent": "the API takes 60 % longer",
    "five-times-as-slow": "the API takes five times as long",
    "slow": "the API takes 700 ms longer",
    "frontend-slow": "the first byte of every page, script and style of the frontend takes 1.3 s longer",
    "frontend-saturated": "the frontend serves one page after the other, 25 ms each: the rest waits",
    "frontend-overloaded": "the same, and it answers 503 to whoever finds twenty others waiting",
    "slow-queries": "the slow-query report lists statements over the limit",
    # Render: configuration
    "variable-missing": "JWT_SECRET is missing on kamiyo-api, GOOGLE_CLIENT_SECRET on kamiyo-frontend",
    "placeholder-secret": "NEXTAUTH_SECRET and JWT_SECRET are the example's placeholder, long as it is",
    "short-secret": "NEXTAUTH_SECRET and JWT_SECRET have 16 characters",
    "http-origin": "ALLOWED_ORIGINS and NEXTAUTH_URL name a public address with http",
    "trailing-slash-origin": "ALLOWED_ORIGINS and NEXTAUTH_URL end in a slash",
    "stripe-wrong-mode-key": "STRIPE_SECRET_KEY on kamiyo-api is a live key",
    "webhook-secrets-differ": "kamiyo-frontend overrides the group's STRIPE_WEBHOOK_SECRET with another",
    "database-url-differs": "DATABASE_URL on kamiyo-frontend names another host than Render's database",
    "blueprint-disagrees": "kamiyo-api runs with another plan and health check path than render.yaml says",
    # Render: the database
    "backup-too-old": "the newest backup is four days old, and there is no point-in-time recovery",
    "postgres-suspended": "Render says that the database is suspended",
    "connections-full": "Render's metrics show the database's connections all but used up",
    # Render: the deploy
    "deploy-not-triggered": "kamiyo-frontend has no deploy of the commit",
    "commit-ignored": "the commit changes nothing of kamiyo-frontend: Render does not deploy it there",
    "first-deploy": "each service was never deployed before: there is nothing to roll back to",
    "builds-not-kept": "Render keeps no earlier build, and refuses each rollback",
    "service-suspended": "kamiyo-api is suspended on Render",
    "build-failed": "the build of kamiyo-frontend fails; the commit before stays live there",
    "build-log-silent": "the last good line of each service's start never comes",
    "import-error-in-log": "kamiyo-api logs ModuleNotFoundError while it starts",
    "database-failed-in-log": "kamiyo-api logs that the database connection failed while it starts",
    "migrations-missing-in-log": "kamiyo-frontend never logs that its migrations are complete",
    "crash-loop": "kamiyo-api exits with status 1 and is started again, several times",
    "out-of-memory": "kamiyo-api is killed for its memory, twice",
    "health-checks-failing": "the new kamiyo-api never passes its health check; its deploy fails",
    "deploy-stuck": "the deploy of kamiyo-frontend never ends",
    "downtime-40s": "both services answer 503 for 40 s in the middle of the deploy",
    # Render: afterwards
    "log-errors": "both services log an error every five seconds since the commit went live",
    "real-users-errors": "Render's metrics show 3 % of real requests answered 500 since the commit went live",
    "real-users-slow": "Render's metrics show a p95 of seconds since the commit went live",
    "auto-deploy-on": "auto-deploy is on, so that the next push undoes a rollback",
    "rollback-not-done": "nothing was rolled back: the commit is still live",
    "rolled-back-later": "half a day after it went live the release was rolled back",
    "deployments-failing": "every third deploy of the past failed",
    # Sentry
    "sentry-fatal": "Sentry has a fatal issue that was first seen just after the deploy began",
    "sentry-regression": "an issue that was resolved has come back",
    "error-spike": "twenty times as many errors a minute since the deploy began",
    "dsn-of-another-project": "the configured DSN is of none of the projects",
    "dsn-inactive": "the key of the DSN is switched off",
    # GitHub
    "unreviewed-commit": "the commit came by no pull request",
    "self-approved-commit": "nobody but the author approved the pull request",
    "stale-approval": "the approval is of an earlier head of the pull request",
    "changes-requested": "a second reviewer asks for changes",
    "check-run-failed": "a check of the commit has failed",
    # status pages
    "status-page-not-operational": "our own page is still in maintenance",
    "status-page-silent": "our own page tells of no maintenance while there is a deploy",
    "stripe-status-outage": "Stripe's page reports a major outage",
    # PagerDuty
    "on-call-empty": "nobody is on call",
    "on-call-gap": "nobody is on call for two of the next hours",
    "on-call-unreachable": "who is on call has no phone number",
    # Stripe's own API
    "stripe-wrong-mode": "the webhook endpoint and the events are of the other mode",
    "stripe-endpoint-disabled": "our webhook endpoint is disabled",
    "stripe-endpoint-missing": "there is no webhook endpoint with our address",
    "stripe-endpoint-twice": "there are two webhook endpoints with our address",
    "stripe-events-missing": "the webhook endpoint is not sent two of the events that we handle",
    "deliveries-failing": "Stripe's deliveries of the last hours did not arrive",
    # the checkout
    "tests-failing": "one of the project's own tests fails",
    "audit-failing": "the project's security audit finds something critical",
    "validation-failing": "the project's validation of its settings finds a failure (exit code 1)",
    "validation-broken": "the project's validation of its settings cannot run (exit code 127)",
    "branch-behind": "the main branch has a commit that the checkout does not have",
    "tree-dirty": "a file of the checkout is changed and not committed",
    "requirements-loose": "a Python requirement names no one version",
    "lock-out-of-step": "the lock of the Python requirements has another version of one",
    "node-lock-out-of-step": "package.json asks for another version than package-lock.json was made for",
    "registry-foreign": "package-lock.json takes a package from a foreign registry",
    "migration-malformed": "the pending migration is not SQL",
    "migration-pending-destructive": "a pending migration drops a column",
    "migration-applied-destructive": "the migration that came with the release dropped a column",
    "migration-edited": "an applied migration was edited afterwards",
    "migration-missing-on-disk": "an applied migration is not among the files",
    "migration-out-of-order": "a pending migration is older than one that is applied",
    "backup-missing": "there is no backup at all, on disk or at Render",
    # metrics
    "prometheus-broken": "/metrics answers in another format than Prometheus'",
}


class UnknownFault(ValueError):
    """No fault has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no fault {name!r}; there are: {', '.join(sorted(FAULTS))}")


class Faults:
    """The set of active faults.

    Args:
        names: on from the start.
        lasting: on for good, whatever is switched, and not listed: what a form of the platform shares with a
            fault.

    Attributes:
        cleared: how often all faults were switched off; each time the rate limits are reset too.
    """

    def __init__(self, names: Iterable[str] = (), *, lasting: Collection[str] = ()) -> None:
        self._on: set[str] = set()
        self._lasting = frozenset(lasting)
        self._struck: set[str] = set()
        self._carried: dict[str, Callable[[], bool]] = {}
        self._asking = False
        self.cleared = 0
        for name in names:
            self.switch_on(name)

    def switch_on(self, name: str) -> None:
        """Switch a fault on.

        Raises:
            UnknownFault: no fault has this name.
        """
        if name not in FAULTS:
            raise UnknownFault(name)
        self._on.add(name)
        self._struck.discard(name)

    def switch_off(self, name: str) -> None:
        """Switch a fault off; it need not be on.

        Raises:
            UnknownFault: no fault has this name.
        """
        if name not in FAULTS:
            raise UnknownFault(name)
        self._on.discard(name)

    def carry(self, name: str, by: Callable[[], bool]) -> None:
        """Make a fault active only while `by` returns true, such as while the release that has it is live.

        Raises:
            UnknownFault: no fault has this name.
        """
        self.switch_on(name)
        self._carried[name] = by

    def strike(self, name: str) -> bool:
        """Whether a fault that happens only once happens now; switching it on again resets it."""
        if name not in self or name in self._struck:
            return False
        self._struck.add(name)
        return True

    def clear(self) -> None:
        """Switch all faults off, and reset the platform's limits."""
        self._on.clear()
        self._carried.clear()
        self.cleared += 1

    def __contains__(self, name: str) -> bool:
        assert name in FAULTS, f"the sandbox asks for an undeclared fault {name!r}"
        if name in self._lasting:
            return True
        return name in self._on and (name not in self._carried or self._is_carried(name))

    def _is_carried(self, name: str) -> bool:
        """Call `by`; faults that it checks itself are not checked further, to avoid endless recursion."""
        if self._asking:
            return False
        self._asking = True
        try:
            return self._carried[name]()
        finally:
            self._asking = False

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._on))
