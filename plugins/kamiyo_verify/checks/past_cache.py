"""Get an answer of the service itself where a cache stands before it.

What a cache serves shows how the service was when the cache stored it: neither that the release works nor
that it is broken.
"""

from __future__ import annotations

from secrets import token_hex

from kamiyo_verify.checks.client import Sent, ServiceClient
from kamiyo_verify.checks.requirement import Measure
from kamiyo_verify.http.answer import Answer
from kamiyo_verify.http.commit import commit_in_answer
from kamiyo_verify.http.problems import cached_in
from kamiyo_verify.model.commits import same_commit
from kamiyo_verify.model.outcomes import CACHED, ServerBroke, Unverified, WrongAnswer
from kamiyo_verify.model.services import CommitSource

UNKNOWN_PATH = "/kamiyo-verify-no-such-path"
_PARAMETER = "kamiyo-verify"


def get_past_cache(service: ServiceClient, path: str, measure: Measure, *, status: int = 200) -> Answer:
    """GET the path; where a cache answers, measure that and ask again, past the cache.

    A page that comes from the cache at every try, as on a host of static sites, is returned all the same if
    the service answers a path that no cache can know.

    Args:
        service: what the fixture `http` opens.
        path: the path.
        measure: the fixture.
        status: the status that is due.

    Returns:
        The answer of the service itself, or such a page.

    Raises:
        Unverified: the cache serves what is due, and the service does not show that it would; or the reverse.
        ServerBroke: the service itself answers 5xx, whatever the cache serves.
        Refused: our credential is refused.
    """
    answer = service.accepted(service.get(path))
    if not (found := cached_in(answer.headers)):
        return answer
    measure("cache", found)
    own = next(filter(_is_own, (service.accepted(service.get(path, **sent)) for sent in _ways_past())), None)
    served = f"GET {path} {CACHED} ({found}) with the status {answer.status}"
    now = f"and the service itself answers {own.status}" if own else "also where a fresh answer was due"
    if own is not None and own.status >= 500:
        raise ServerBroke(f"{served}, {now}: whoever the cache does not serve gets that")
    if answer.status != status:
        raise Unverified(f"{served}, {now}: purge the cache, then run it again")
    if own is not None and own.status == status:
        return own
    if own is not None:
        raise Unverified(f"{served}, {now} past it: whether the release serves it is not known")
    unknown = service.get(f"{UNKNOWN_PATH}-{token_hex(8)}")
    if answer.is_html and unknown.status < 500 and _is_own(unknown):
        return answer
    raise Unverified(
        f"{served}, {now}: it does not show that the release works. Let the cache pass requests with"
        " Cache-Control: no-cache, or name a path that is not cached"
    )


def get_commit_past_cache(service: ServiceClient, path: str, expected: str, source: CommitSource) -> Answer:
    """GET the path; past the cache too, unless what that serves names the expected commit."""
    answer = service.get(path)
    if not cached_in(answer.headers):
        return answer
    try:
        if same_commit(commit_in_answer("NAME", source, lambda _: answer, path), expected):
            return answer
    except WrongAnswer:
        pass
    return get_past_cache(service, path, lambda *_: None, status=answer.status)


def _ways_past() -> tuple[Sent, ...]:
    """Requests that a cache should pass on: one that forbids a stored answer, and one of a new address."""
    fresh = {"Cache-Control": "no-cache"}
    return {"headers": fresh}, {"headers": fresh, "params": {_PARAMETER: token_hex(8)}}


def _is_own(answer: Answer) -> bool:
    return not cached_in(answer.headers)
