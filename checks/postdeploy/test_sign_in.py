"""Step 4: people can sign in, with the right secret, at the right address."""

import hashlib

import pytest


@pytest.mark.item("postdeploy.sign-in-page")
def test_the_sign_in_page_loads(sign_in):
    """The sign-in page is 200 and HTML."""
    page = sign_in.page()

    assert page.body.strip(), f"{page.url} is an empty page"


@pytest.mark.item("postdeploy.auth-providers")
def test_the_expected_providers_are_offered(sign_in, environment, measure):
    """`/api/auth/providers` lists every provider that people are used to."""
    offered = sign_in.providers()

    measure("providers", ", ".join(offered))
    missing = set(environment.sign_in.providers) - set(offered)
    assert not missing, f"missing: {', '.join(sorted(missing))}; offered: {', '.join(offered) or 'none'}"


@pytest.mark.item("postdeploy.auth-csrf")
def test_a_csrf_token_is_issued_with_its_cookie(sign_in):
    """`/api/auth/csrf` gives 64 hex digits, and a cookie that carries the same token."""
    csrf = sign_in.csrf()

    assert len(csrf.token) == 64, f"a CSRF token of {len(csrf.token)} characters where 64 were expected"
    assert csrf.cookie.partition("|")[0] == csrf.token, (
        "the CSRF cookie carries another token: no form is accepted"
    )


@pytest.mark.item("postdeploy.auth-origin")
def test_providers_return_to_our_own_address(sign_in, environment):
    """Every provider's callback is on the public address: NEXTAUTH_URL is right."""
    origins = {provider.id: provider.callback_origin for provider in sign_in.providers().values()}
    astray = {name: origin for name, origin in origins.items() if origin != environment.frontend.url}

    assert not astray, f"{astray} where {environment.frontend.url} was expected: sign-in leads people away"


@pytest.mark.item("postdeploy.auth-secret")
@pytest.mark.needs("sign_in.secret")
def test_the_running_secret_is_the_configured_one(sign_in, environment):
    """The CSRF cookie's hash is sha256(token + NEXTAUTH_SECRET)."""
    token, _, seen = sign_in.csrf().cookie.partition("|")
    expected = hashlib.sha256((token + environment.sign_in.secret.reveal()).encode()).hexdigest()

    assert seen == expected, "NextAuth runs with another NEXTAUTH_SECRET than the configured one"


@pytest.mark.item("postdeploy.session-recognised")
@pytest.mark.needs("sign_in.session_token")
def test_a_signed_in_person_is_recognised(sign_in, environment):
    """The test account's stored session names a user."""
    session = sign_in.session(environment.sign_in.session_token.reveal())

    assert session.user, "the test account's session names nobody: everyone who was signed in is signed out"


@pytest.mark.item("postdeploy.credentials-accepted")
@pytest.mark.needs("sign_in.email", "sign_in.password")
def test_the_test_account_signs_in(sign_in, environment):
    """Email and password give a session that names a user."""
    account = environment.sign_in
    signed_in = sign_in.sign_in(account.email.reveal(), account.password.reveal())

    assert signed_in.answer.status == 200, signed_in.answer.told("200 for the test account's own password")
    user = signed_in.session.user if signed_in.session else None
    assert user, f"signed in, and the session names nobody: {signed_in.url}"


@pytest.mark.item("postdeploy.wrong-password-refused")
@pytest.mark.needs("sign_in.email")
def test_a_wrong_password_is_refused(sign_in, environment):
    """The test account with another password is answered 401 and gets no session."""
    refused = sign_in.sign_in(environment.sign_in.email.reveal(), "not-the-password")
    refused.answer.usable()

    assert refused.answer.status == 401, refused.answer.told("401 for a wrong password")
    assert not (refused.session and refused.session.user), "a wrong password signed in"
