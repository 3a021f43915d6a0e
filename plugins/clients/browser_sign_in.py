"""Signing in as a person does: by the form, or as one who never signed out."""

from __future__ import annotations

from dataclasses import dataclass

from plugins.clients.browser_tab import Tab
from plugins.clients.readable import readable
from plugins.model.environment import Environment
from plugins.model.outcomes import Unverified, WrongAnswer

_COOKIE = "next-auth.session-token"


@dataclass(frozen=True, slots=True)
class Arrival:
    """Someone came to the dashboard.

    Attributes:
        by: "password" or "session".
        at: the path that they are on.
        recognised: the page shows that it knows them.
        said: title and headings of the page, and what failed on it unseen.
    """

    by: str
    at: str
    recognised: bool
    said: str


def has_password(environment: Environment) -> bool:
    """The environment gives the test account's e-mail and password."""
    return environment.sign_in.email.present and environment.sign_in.password.present


async def keep_signed_in(tab: Tab) -> None:
    """Be the test account: by its session, or else by its password.

    Raises:
        Unverified: the environment gives neither.
        WrongAnswer: the form does not work, or the password is refused.
    """
    environment = tab.environment
    token = environment.sign_in.session_token
    if token.present:
        url = environment.frontend.url
        prefix = "__Secure-" if url.startswith("https:") else ""
        await tab.page.context.add_cookies(
            [
                {
                    "name": prefix + _COOKIE,
                    "value": token.reveal(),
                    "url": url,
                    "httpOnly": True,
                    "secure": bool(prefix),
                    "sameSite": "Lax",
                }
            ]
        )
    elif has_password(environment):
        await by_password(tab)
    else:
        names = environment.sign_in
        raise Unverified(
            f"{names.session_token.name} (sign_in.session_token), or {names.email.name} and "
            f"{names.password.name} (sign_in.email, sign_in.password), are not set: nobody can be signed in"
        )


async def ways_in(tab: Tab) -> tuple[str, ...]:
    """What the sign-in page offers.

    Raises:
        WrongAnswer: nothing.
    """
    await tab.open(tab.environment.sign_in.page_path)
    offered = await tab.find("ways_in", "way to sign in")
    texts = await offered.all_inner_texts()
    await tab.step("the sign-in page")
    return tuple(readable(text, 40) for text in texts[:6] if text.strip())


async def sign_in(tab: Tab) -> Arrival:
    """Sign in, by password where there is one, and go to the dashboard."""
    environment = tab.environment
    by_form = has_password(environment)
    await (by_password(tab) if by_form else keep_signed_in(tab))
    await tab.open(environment.frontend.dashboard_path)

    async def known() -> bool:
        return await tab.seen("signed_in") is not None or tab.path == environment.sign_in.page_path

    await tab.until(known)
    recognised = await tab.seen("signed_in") is not None
    await tab.step("the dashboard, signed in" if recognised else "the dashboard, not signed in")
    cause = f" ({tab.watch.troubles})" if tab.watch.troubles else ""
    said = await tab.described() + cause
    return Arrival("password" if by_form else "session", tab.path, recognised, said)


async def by_password(tab: Tab) -> None:
    """Fill in the form and send it.

    Raises:
        WrongAnswer: there is no such form, or the page refuses the test account.
    """
    account, page_path = tab.environment.sign_in, tab.environment.sign_in.page_path
    await tab.open(page_path)
    for key in ("email", "password"):
        field = await tab.find(key, f"field for the {key}")
        await field.first.fill(getattr(account, key).reveal())
    await tab.step("the sign-in form, filled in")
    await tab.press((await tab.find("sign_in", "button that signs in")).first, "sign_in")

    async def settled() -> bool:
        return tab.path != page_path or "error" in tab.page.url

    await tab.until(settled)
    if tab.path == page_path or "error" in tab.path:
        raise WrongAnswer(f"the form does not let the test account in: {await tab.described()}")


async def follow(tab: Tab, path: str, to: str) -> str:
    """Open a page and see whether it leads to another; returns the path that it ends on."""
    await tab.open(path)

    async def there() -> bool:
        return tab.path == to

    await tab.until(there)
    await tab.step(f"{path}, signed out")
    return tab.path
