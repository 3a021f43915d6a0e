"""Stories of deployments: each gets the call that a careful engineer would sign, for the right reason."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kamiyo_verify.cli.replay import SAME
from kamiyo_verify.cli.replay import main as replay
from tests.e2e.runs import CANARIES, Ran, brief_environment, ledger_in, variables, verify
from tests.support.sandbox_process import Sandbox, request, started

LATENCY_MS = 110
RELEASE = "9c41d07e5a3b"
API_ALONE = ("-p", "tests.e2e.of_the_website")
TIMES_OF_THE_API = "performance and not website"
"""The sandbox's website answers in less than a millisecond, of which a busy machine makes any multiple."""
EARLIER = "3b0cca2f00d1"

NOWHERE = "http://127.0.0.1:4"
"""With one more digit a port that nobody listens on."""


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with started("--heartbeat", "0.5", environment=CANARIES) as sandbox:
        yield sandbox


@pytest.fixture
def fresh(running: Sandbox) -> Sandbox:
    """The running sandbox, healthy again."""
    request("DELETE", f"{running.control}/faults").raise_for_status()
    return running


class Teller:
    """Runs the suite against a sandbox, several times with one memory.

    Args:
        folder: for the reports.
        sandbox: what to look at.
        settings: what to change in its environment file: text and what replaces it.
    """

    def __init__(self, folder: Path, sandbox: Sandbox, **settings: str) -> None:
        folder.mkdir(exist_ok=True)
        self.ledger = ledger_in(folder)
        self._folder = folder
        self._sandbox = sandbox
        self._environment = brief_environment(folder, sandbox)
        text = self._environment.read_text(encoding="utf-8")
        for key, value in settings.items():
            lines = [line for line in text.splitlines() if not line.startswith(f"{key} = ")]
            at = lines.index("[sampling]") + 1
            text = "\n".join([*lines[:at], f"{key} = {value}", *lines[at:]]) + "\n"
        self._environment.write_text(text, encoding="utf-8")
        self._describe = 0

    def tell(self, *arguments: str, mark: str = "postdeploy and not performance") -> Ran:
        self._describe += 1
        given = {"SANDBOX_LEDGER_URL": self.ledger, **variables(self._sandbox)}
        wanted = ("-m", mark, f"--env={self._environment}", *arguments)
        ran = verify(self._folder / f"r{self._describe}", *wanted, variables=given)
        assert replay([str(ran.folder)]) == SAME, "judged again, the verdict is another one"
        return ran

    def with_faults(
        self, *faults: str, mark: str = "postdeploy and not performance", arguments: tuple[str, ...] = ()
    ) -> Ran:
        for fault in faults:
            request("POST", f"{self._sandbox.control}/faults/{fault}").raise_for_status()
        return self.tell(*arguments, mark=mark)


def reason(ran: Ran, item: str) -> dict[str, Any]:
    return next(one for one in ran.verdict["reasons"] if one["item"] == item)


def item(ran: Ran, item_id: str) -> dict[str, Any]:
    return next(one for one in ran.verdict["items"] if one["id"] == item_id)


def earlier_baseline(tmp_path: Path, ledger: str, *faults: str) -> Ran:
    """A baseline of an earlier commit, with the same credentials and in the same ledger."""
    with started("--heartbeat", "0.5", "--commit", EARLIER, environment=CANARIES) as sandbox:
        teller = Teller(tmp_path / "before", sandbox)
        teller.ledger = ledger
        for fault in faults:
            request("POST", f"{sandbox.control}/faults/{fault}").raise_for_status()
        return teller.tell("--baseline")


def test_what_failed_before_and_after_is_not_rolled_back(fresh: Sandbox, tmp_path: Path) -> None:
    teller = Teller(tmp_path, fresh)
    earlier = earlier_baseline(tmp_path, teller.ledger, "sign-in-page-missing")
    after = teller.with_faults("sign-in-page-missing")

    assert earlier.call == "hold", earlier.output
    assert json.loads((earlier.folder / "baseline.json").read_text())["verdict"] == earlier.verdict
    assert after.call == "fix_forward", after.output
    told = reason(after, "postdeploy.sign-in-page")
    assert told["attribution"] == "pre_existing"
    assert "failed before this deployment too" in told["message"]
    assert after.verdict["compared"]["baseline"]
    assert "old" in told["message"]


def test_a_baseline_of_the_same_commit_shows_nothing(fresh: Sandbox, tmp_path: Path) -> None:
    teller = Teller(tmp_path, fresh)
    with fresh.fault("sign-in-page-missing"):
        teller.tell("--baseline")
        after = teller.tell()

    assert after.call == "roll_back", after.output
    assert reason(after, "postdeploy.sign-in-page")["attribution"] == "unknown"
    assert "of the same commit" in after.verdict["not_compared"]


def test_what_was_well_before_is_this_deploys_doing(fresh: Sandbox, tmp_path: Path) -> None:
    teller = Teller(tmp_path, fresh)
    earlier_baseline(tmp_path, teller.ledger)
    ran = teller.with_faults("sign-in-broken")

    assert ran.call == "roll_back", ran.output
    told = reason(ran, "postdeploy.credentials-accepted")
    assert (told["attribution"], told["clause"]) == ("introduced", "authentication broken completely")
    assert f"commit {EARLIER[:7]} accepted the same value" in told["message"]
    assert re.search(r"failed in (\d+) of \1 tries and rechecks", ran.verdict["confidence"])
    assert "passing: proceed" in ran.verdict["flip"]
    [step] = ran.verdict["rollback"]["services"]
    assert step["service"] == "kamiyo-frontend"
    assert step["from"].startswith("dep-")
    assert step["to"].startswith("dep-")
    assert step["from"] != step["to"]
    assert [call.split()[0] for call in step["calls"]] == ["PATCH", "POST"]
    assert '{"autoDeploy": "no"}' in step["calls"][0]
    assert f'/rollback {{"deployId": "{step["to"]}"}}' in step["calls"][1]
    assert step["revert"] == f"git revert {step['from_commit']}"
    assert re.search(r"\(minute \d+ of the deployment\)", ran.verdict["escalation"])
    assert fresh.secret("RENDER_API_KEY") not in (ran.folder / "verdict.json").read_text()


def test_a_webhook_secret_that_is_refused_is_first_of_all_ours(fresh: Sandbox, tmp_path: Path) -> None:
    ran = Teller(tmp_path, fresh).with_faults("webhook-wrong-secret")

    assert (ran.call, ran.code) == ("inconclusive", 30), ran.output
    assert reason(ran, "postdeploy.stripe-webhook")["attribution"] == "prober"
    assert "renew SANDBOX_" in ran.verdict["next_step"]


def test_stripes_own_outage_excuses_no_delivery_of_ours(fresh: Sandbox, tmp_path: Path) -> None:
    teller = Teller(tmp_path, fresh)
    earlier_baseline(tmp_path, teller.ledger)
    ran = teller.with_faults("stripe-status-outage", "webhook-wrong-secret")

    assert ran.call == "roll_back", ran.output
    assert reason(ran, "postdeploy.stripe-webhook")["attribution"] == "introduced"


def test_when_the_runners_network_is_cut_nothing_is_known(fresh: Sandbox, tmp_path: Path) -> None:
    teller = Teller(tmp_path, fresh)
    text = (tmp_path / "brief.toml").read_text()
    for reached in (fresh.api, fresh.frontend, fresh.control):
        text = text.replace(reached, f"{NOWHERE}{reached[-1]}")
    (tmp_path / "brief.toml").write_text(text)
    ran = teller.tell()

    assert (ran.call, ran.code) == ("inconclusive", 30), ran.output
    assert reason(ran, "postdeploy.api-health")["attribution"] == "unknown"
    assert item(ran, "postdeploy.api-health")["status"] == "error"


def test_one_bad_gateway_is_flaky_and_shown(fresh: Sandbox, tmp_path: Path) -> None:
    ran = Teller(tmp_path, fresh).with_faults("one-bad-gateway")

    assert ran.call == "proceed", ran.output
    [told] = [one for one in ran.verdict["items"] if one["flaky"]]  # whichever asks /ready first
    assert told["status"] == "passed"
    assert "GET /ready answered 502" in told["attempts"][0]["message"]
    assert [attempt["status"] for attempt in told["attempts"]] == ["failed", "passed"]
    assert "1 flaky" in ran.output
    assert "ROLL BACK likely" not in ran.output


def test_two_percent_of_errors_are_fixed_forward(fresh: Sandbox, tmp_path: Path) -> None:
    teller = Teller(tmp_path, fresh, requests="600", seconds="36")
    ran = teller.with_faults("errors-two-percent", mark="performance")

    assert ran.call == "fix_forward", ran.output
    [error_rate] = [one for one in ran.verdict["slos"] if one["id"] == "error-rate"]
    few = error_rate["interval"][1] < 0.05  # The sampling may end before that is shown.
    assert reason(ran, "error-rate")["clause"] == ("fewer than 5 % of users affected" if few else "")
    assert " requests failing: roll back" in ran.verdict["flip"]


def test_twenty_percent_of_errors_are_rolled_back(fresh: Sandbox, tmp_path: Path) -> None:
    ran = Teller(tmp_path, fresh).with_faults("errors-twenty-percent", mark="performance")

    assert ran.call == "roll_back", ran.output
    assert "over the policy's line" in reason(ran, "performance.error-rate")["message"]
    assert "requests failing (it is " in ran.verdict["flip"]
    assert [step["service"] for step in ran.verdict["rollback"]["services"]] == ["kamiyo-api"]


def test_too_few_requests_decide_nothing(fresh: Sandbox, tmp_path: Path) -> None:
    ran = Teller(tmp_path, fresh, seconds="0.001").tell(mark="performance")

    assert (ran.call, ran.code) == ("inconclusive", 30), ran.output
    sampled = {slo["id"]: slo["verdict"] for slo in ran.verdict["slos"]}
    assert sampled["api-p95"] == sampled["error-rate"] == "insufficient_evidence"


def test_where_only_the_api_is_broken_the_api_goes_back_alone(fresh: Sandbox, tmp_path: Path) -> None:
    ran = Teller(tmp_path, fresh).with_faults("api-errors")

    assert ran.call == "roll_back", ran.output
    assert [step["service"] for step in ran.verdict["rollback"]["services"]] == ["kamiyo-api"]
    workers = ["kamiyo-aggregator", "kamiyo-social-watcher"]
    assert ran.verdict["rollback"]["stays"] == ["kamiyo-frontend", *workers]
    assert any("kamiyo-frontend stays" in one for one in ran.verdict["rollback"]["warnings"])


def test_after_a_destructive_migration_code_is_never_rolled_back(fresh: Sandbox, tmp_path: Path) -> None:
    ran = Teller(tmp_path, fresh).with_faults("migration-applied-destructive", "sign-in-page-missing")

    assert ran.call == "fix_forward", ran.output
    assert ran.verdict["rollback"]["services"] == []
    assert "code must not go back" in ran.verdict["headline"]
    assert "DROP COLUMN" in reason(ran, "")["message"]
    assert reason(ran, "postdeploy.sign-in-page")["attribution"] == "unknown"
    assert any("restore the database to before" in one for one in ran.verdict["rollback"]["warnings"])


@pytest.fixture(scope="module")
def slowed() -> Iterator[Sandbox]:
    """A sandbox whose API takes long enough that shares of it can be told from noise."""
    with started("--heartbeat", "0.5", "--latency", str(LATENCY_MS), "--commit", RELEASE) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def before(slowed: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Teller:
    """The same items before the deployment."""
    teller = Teller(tmp_path_factory.mktemp("slow"), slowed, requests="160", seconds="16")
    assert teller.tell("--baseline", *API_ALONE, mark=TIMES_OF_THE_API).verdict
    return teller


@pytest.mark.undisturbed
@pytest.mark.parametrize(
    ("fault", "call"),
    [
        ("slow-a-little", "proceed"),
        ("slow-by-sixty-percent", "fix_forward"),
        ("five-times-as-slow", "roll_back"),
    ],
)
def test_a_slowdown_is_judged_against_the_time_before(
    fault: str, call: str, before: Teller, slowed: Sandbox
) -> None:
    request("DELETE", f"{slowed.control}/faults").raise_for_status()
    # Without it, the baseline may be of the same commit: these items do not read which one answers.
    ran = before.with_faults(fault, mark=TIMES_OF_THE_API, arguments=(*API_ALONE, "--commit", RELEASE))

    assert ran.verdict["compared"]["baseline"]
    assert ran.call == call, ran.output
    if call != "proceed":
        assert "the median clearly under" in ran.verdict["flip"]
