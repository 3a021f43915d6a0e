"""Step 4: people can sign in, with the right secret and at the right address."""

import pytest

pytestmark = pytest.mark.asks


@pytest.mark.item("postdeploy.sign-in-page")
def test_the_sign_in_page_loads(sign_in):
    """The sign-in page is 200 and HTML."""
    page = sign_in.page()

    assert page.body.strip(), f"{page.url} is an empty page"


@pytest.mark.item("postdeploy.auth-providers")
def test_an_expected_provider_is_offered(sign_in, environment, measure):
    """`/api/auth/providers` lists at least one expected provider."""
    offered = sign_in.providers()

    measure("providers", ", ".join(offered))
    expected = environment.sign_in.providers
    assert set(expected) & set(offered), (
        f"offered: {', '.join(offered) or 'none'}; expected: {', '.join(expected)}: nobody can sign in"
    )


@pytest.mark.item("postdeploy.auth-every-provider")
def test_every_expected_provider_is_offered(sign_in, environment, measure):
    """`/api/auth/providers` lists every expected provider."""
    offered = sign_in.providers()

    missing = set(environment.sign_in.providers) - set(offered)
    measure("missing", ", ".join(sorted(missing)))
    assert not missing, f"missing: {', '.join(sorted(missing))}; offered: {', '.join(offered) or 'none'}"


@pytest.mark.item("postdeploy.auth-csrf")
def test_a_csrf_token_is_issued_with_its_cookie(sign_in):
    """`/api/auth/csrf` returns 64 hex digits, and a cookie with the same token."""
    csrf = sign_in.csrf()

    assert len(csrf.token) == 64, f"a CSRF token of {len(csrf.token)} characters where 64 were expected"
    assert csrf.cookie_token == csrf.token, "the CSRF cookie carries another token: no form is accepted"


@pytest.mark.item("postdeploy.auth-origin")
def test_providers_return_to_our_own_address(sign_in, environment):
    """Every provider's callback uses the public address: NEXTAUTH_URL is right."""
    origins = {provider.id: provider.callback_origin for provider in sign_in.providers().values()}
    astray = {name: origin for name, origin in origins.items() if origin != environment.frontend_url}

    assert not astray, f"{astray} where {environment.frontend_url} was expected: sign-in leads people away"


@pytest.mark.item("postdeploy.auth-secret")
@pytest.mark.needs("sign_in.secret")
def test_the_running_secret_is_the_configured_one(sign_in):
    """The CSRF cookie's hash is sha256(token + NEXTAUTH_SECRET)."""
    assert sign_in.runs_with_configured_secret()


@pytest.mark.item("postdeploy.session-recognised")
@pytest.mark.needs("sign_in.session_token")
def test_a_signed_in_person_is_recognised(sign_in):
    """The test account's stored session belongs to a user."""
    assert sign_in.stored_session().user


@pytest.mark.item("postdeploy.credentials-accepted")
@pytest.mark.needs("sign_in.email", "sign_in.password")
def test_the_test_account_signs_in(sign_in):
    """Email and password give a session that belongs to a user."""
    signed_in = sign_in.sign_in_as_test_account()

    user = signed_in.session.user if signed_in.session else None
    assert user, f"signed in, and the session names nobody: {signed_in.url}"


@pytest.mark.item("postdeploy.wrong-password-refused")
@pytest.mark.needs("sign_in.email")
def test_a_wrong_password_is_refused(sign_in):
    """The test account with another password is refused, and gets no session."""
    tried = sign_in.try_wrong_password()

    assert not tried.let_in, "a wrong password signed in"
    assert tried.refused()
