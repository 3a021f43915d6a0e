"""Sign in through the browser: by the form, or by a stored session."""

from __future__ import annotations

from dataclasses import dataclass

from kamiyo_platform.platform_tab import PlatformTab
from kamiyo_verify.http.json_text import UnreadableJson, read_json
from kamiyo_verify.http.readable import readable
from kamiyo_verify.integrations.nextauth.cookies import session_names
from kamiyo_verify.model.credentials import RefusalKind
from kamiyo_verify.model.outcomes import Refused, Unverified, WrongAnswer


@dataclass(frozen=True, slots=True)
class Arrival:
    """The result of signing in and opening the dashboard.

    Attributes:
        by: "password" or "session".
        at: the path of the page.
        recognised: the page shows a signed-in user.
        said: title and headings of the page, and its background errors.
    """

    by: str
    at: str
    recognised: bool
    said: str


async def by_form(tab: PlatformTab) -> bool:
    """The environment has e-mail and password, and the platform lists a provider that accepts them."""
    account = tab.environment.sign_in
    return account.email.present and account.password.present and await _takes_passwords(tab)


async def keep_signed_in(tab: PlatformTab) -> None:
    """Sign in as the test account: by its session, or else by its password.

    Raises:
        Unverified: the environment has neither.
        WrongAnswer: the form does not work, or the password is refused.
    """
    environment = tab.environment
    token = environment.sign_in.session_token
    if token.present:
        url = environment.frontend_url
        await tab.page.context.add_cookies(
            [
                {
                    "name": name,
                    "value": token.reveal(),
                    "url": url,
                    "httpOnly": True,
                    "secure": url.startswith("https:"),
                    "sameSite": "Lax",
                }
                for name in await _session_names(tab)
                # A browser refuses these names without TLS.
                if url.startswith("https:") or not name.startswith(("__Secure-", "__Host-"))
            ]
        )
    elif await by_form(tab):
        await by_password(tab)
    else:
        names = environment.sign_in
        raise Unverified(
            f"{names.session_token.name} (sign_in.session_token), or {names.email.name} and "
            f"{names.password.name} (sign_in.email, sign_in.password), are not set, or the platform takes no "
            "passwords: nobody can be signed in"
        )


async def ways_in(tab: PlatformTab) -> tuple[str, ...]:
    """The sign-in methods that the sign-in page offers.

    Raises:
        WrongAnswer: it offers none.
    """
    await tab.open(tab.environment.sign_in.page_path)
    offered = await tab.find("ways_in", "way to sign in")
    texts = await offered.all_inner_texts()
    await tab.step("the sign-in page")
    return tuple(readable(text, 40) for text in texts[:6] if text.strip())


async def sign_in(tab: PlatformTab) -> Arrival:
    """Sign in, by password if there is one, and go to the dashboard.

    Raises:
        Refused: the form refuses the password, or the stored session leads to the sign-in page.
        WrongAnswer: the form does not work.
    """
    environment = tab.environment
    form = await by_form(tab)
    await (by_password(tab) if form else keep_signed_in(tab))
    await tab.open(environment.frontend.dashboard_path)

    async def known() -> bool:
        return await tab.seen("signed_in") is not None or tab.path == environment.sign_in.page_path

    await tab.until(known)
    recognised = await tab.seen("signed_in") is not None
    await tab.step("the dashboard, signed in" if recognised else "the dashboard, not signed in")
    cause = f" ({tab.watch.troubles})" if tab.watch.troubles else ""
    said = await tab.described() + cause
    if not (recognised or form) and tab.path == environment.sign_in.page_path:
        name = environment.sign_in.session_token.name
        message = f"with the session in {name}, {environment.frontend.dashboard_path} leads to {tab.path}"
        raise Refused(f"{message}: {said}", name, RefusalKind.UNKNOWN_SESSION)
    return Arrival("password" if form else "session", tab.path, recognised, said)


async def by_password(tab: PlatformTab) -> None:
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
    if "error" in tab.page.url:
        message = f"the form does not let the test account in: {await tab.described()}"
        raise Refused(message, account.password.name, RefusalKind.PASSWORD)
    if tab.path == page_path:
        raise WrongAnswer(f"the form does not let the test account in: {await tab.described()}")


async def follow(tab: PlatformTab, path: str, to: str) -> str:
    """Open a page and wait whether it leads to another; return the path that it ends on."""
    await tab.open(path)

    async def there() -> bool:
        return tab.path == to

    await tab.until(there)
    await tab.step(f"{path}, signed out")
    return tab.path


async def _takes_passwords(tab: PlatformTab) -> bool:
    """The platform lists a password provider, or its list cannot be read: then the form decides."""
    from playwright.async_api import Error  # noqa: PLC0415 - many runs need no browser

    address = f"{tab.environment.frontend_url}/api/auth/providers"
    try:
        answer = await tab.page.context.request.get(address)
        offered = read_json(await answer.body())
    except (Error, UnreadableJson):
        return True
    if not isinstance(offered, dict) or not offered:
        return True
    return any(isinstance(one, dict) and one.get("type") == "credentials" for one in offered.values())


async def _session_names(tab: PlatformTab) -> tuple[str, ...]:
    """The names of the session cookie, derived from the CSRF cookie that the site sets."""
    from playwright.async_api import Error  # noqa: PLC0415 - as above

    url = tab.environment.frontend_url
    try:
        await tab.page.context.request.get(f"{url}/api/auth/csrf")
    except Error:
        return session_names("")
    cookies = [str(cookie.get("name", "")) for cookie in await tab.page.context.cookies(url)]
    return session_names(next((name for name in cookies if "csrf" in name), ""))
