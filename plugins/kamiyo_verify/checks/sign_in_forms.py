"""Read the sign-in form of a page: what a browser would send with the user and the password, and where to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from kamiyo_verify.http.answer import Answer
from kamiyo_verify.http.requests import Parts
from kamiyo_verify.model.services import DeclaredCredential, SentAs

_USUAL_FIELD = "password"
_MOST_FIELDS = 200
_TYPED = frozenset({"text", "email", "tel", "username", "search", "url", "number"})
_NEVER_SENT = frozenset({"image", "file", "reset", "button"})
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class SignInForm:
    """A form with one field for a password.

    Attributes:
        action: the address that it is sent to.
        user_field: the name of its field for the user.
        password_field: the name of its field for the password.
        others: the names and values of all other fields, such as a CSRF token.
    """

    action: SplitResult
    user_field: str
    password_field: str
    others: Mapping[str, str] = field(repr=False)


def sign_in_form(page: Answer, mine: DeclaredCredential) -> SignInForm | None:
    """Return the first form of a page that a browser sends by POST, with one password; None without one.

    Fields are named as the credential declares them, or else, where the form has no such field, as it says.
    """
    if not page.is_html:
        return None
    declared = (mine.user_field, mine.field or _USUAL_FIELD)
    found = (form.sign_in(page.url, *declared) for form in _read(page.text).forms)
    return next((form for form in found if form is not None), None)


def visible_text(page: Answer) -> str:
    """Return what a page shows, without markup and without the names and values of its fields."""
    return _SPACE.sub(" ", " ".join(_read(page.text).words)) if page.is_html else page.text


def sign_in_parts(
    page: Answer, form: SignInForm | None, mine: DeclaredCredential, secret: str, cookies: Mapping[str, str]
) -> Parts:
    """Return what a browser or a program of the page sends to sign in, with whose page it is.

    Args:
        page: the sign-in page.
        form: its form; None to send the user and the password alone.
        mine: the credential, of the kind "form" or "json".
        secret: its password.
        cookies: the cookies that were set so far.
    """
    url = urlsplit(page.url)
    headers = {"Referer": page.url, "Origin": f"{url.scheme}://{url.netloc}"}
    if form is not None:
        body = {**form.others, form.user_field: mine.user, form.password_field: secret}
    else:
        body = {mine.user_field: mine.user, mine.field or _USUAL_FIELD: secret}
    if mine.send is SentAs.JSON:
        return Parts(json=body, headers=headers | _csrf_headers(page, cookies), cookies=cookies)
    return Parts(form=body, headers=headers, cookies=cookies)


def _csrf_headers(page: Answer, cookies: Mapping[str, str]) -> dict[str, str]:
    """Return the headers by which programs of a page prove that they are its own.

    A token in `<meta name="csrf-token">` (Rails, Laravel, Phoenix) or in a cookie that the program reads: of
    Angular, axios and Laravel's Sanctum, or of Django.
    """
    found = {}
    if page.is_html and (token := _read(page.text).token):
        found["X-CSRF-Token"] = token
    for cookie, header in (("XSRF-TOKEN", "X-XSRF-TOKEN"), ("csrftoken", "X-CSRFToken")):
        if value := unquote(cookies.get(cookie, "")):
            found[header] = value
    return {name: value for name, value in found.items() if value.isascii() and value.isprintable()}


@dataclass(slots=True)
class _Form:
    """A form as it is read; `fields` are its inputs and buttons, in order: type, name, value, checked."""

    action: str
    posts: bool
    fields: list[tuple[str, str, str, bool]] = field(default_factory=list)

    def sign_in(self, url: str, own_user: str, own_password: str) -> SignInForm | None:
        """Return the form as one for a sign-in; None if it is another one, or a program sends it."""
        passwords = [name for kind, name, _, _ in self.fields if kind == "password"]
        if not self.posts or len(passwords) != 1 or not passwords[0] or len(self.fields) > _MOST_FIELDS:
            return None
        try:
            action = urlsplit(urljoin(url, self.action))
        except ValueError:
            return None
        names = [name for _, name, _, _ in self.fields]
        password = own_password if own_password in names else passwords[0]
        before = self.fields[: names.index(passwords[0])]
        typed = [name for kind, name, _, _ in before if kind in _TYPED and name]
        user = own_user if own_user in names or not typed else typed[-1]
        others = {name: value for name, value in self._sent() if name not in {user, password}}
        return SignInForm(action, user, password, others)

    def _sent(self) -> list[tuple[str, str]]:
        """The names and values that a browser sends; of several buttons, the first is pressed."""
        sent, pressed = [], False
        for kind, name, value, checked in self.fields:
            if kind in _NEVER_SENT or (kind in {"checkbox", "radio"} and not checked):
                continue
            if kind == "submit":
                if pressed:
                    continue
                pressed = True
            if name:
                sent.append((name, value))
        return sent


class _Page(HTMLParser):
    """Reads forms, visible words and the token of a page; what is not closed at its end is not read."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[_Form] = []
        self.words: list[str] = []
        self.token = ""
        self._open: _Form | None = None
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a form, or add a field to the open one."""
        given = {name: value or "" for name, value in reversed(attrs)}
        if tag in {"script", "style"}:
            self._hidden += 1
        elif tag == "meta" and given.get("name", "").lower() == "csrf-token":
            self.token = given.get("content", "")
        elif tag == "form" and self._open is None:
            self._open = _Form(given.get("action", ""), given.get("method", "").lower() == "post")
            self.forms.append(self._open)
        elif tag in {"input", "button"} and self._open is not None and "disabled" not in given:
            default = "text" if tag == "input" else "submit"
            kind = given.get("type", "").lower() or default
            value = given.get("value", "on" if kind in {"checkbox", "radio"} else "")
            self._open.fields.append((kind, given.get("name", ""), value, "checked" in given))

    def handle_endtag(self, tag: str) -> None:
        """End the open form."""
        if tag == "form":
            self._open = None
        elif tag in {"script", "style"}:
            self._hidden = 0

    def handle_data(self, data: str) -> None:
        """Keep what is shown."""
        if not self._hidden:
            self.words.append(data)


def _read(text: str) -> _Page:
    """Read a page as far as Python's parser can."""
    page = _Page()
    with suppress(AssertionError):  # of the parser, about a declaration that it does not know
        # Never closed: the parser would go over the rest of a page that is cut off once a character.
        page.feed(text)
    return page
