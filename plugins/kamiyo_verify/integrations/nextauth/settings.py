"""The table [sign_in] of an environment file."""

from __future__ import annotations

from kamiyo_verify.model.tables import Credential, Path, Table


class SignIn(Table):
    """NextAuth on the frontend, and the test account."""

    page_path: Path = "/auth/signin"
    providers: tuple[str, ...] = ("google",)
    secret: Credential = Credential(name="NEXTAUTH_SECRET")
    session_token: Credential = Credential(name="TEST_SESSION_TOKEN")
    email: Credential = Credential(name="TEST_EMAIL")
    password: Credential = Credential(name="TEST_PASSWORD")
