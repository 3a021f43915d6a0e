"""Sign-ins to frameworks from the package index: their real forms, tokens and sessions."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kamiyo_verify.model.outcomes import Refused
from tests.engine.checks.test_sign_in_forms import PASSWORD, account, sign_in
from tests.support.sandbox_process import wait_until
from tests.support.virtual_environments import environment_with

pytestmark = [pytest.mark.exhaustive, pytest.mark.timeout(300)]

DJANGO = f"""
import sys
import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.contrib import admin
from django.urls import path

settings.configure(
    ROOT_URLCONF=__name__, SECRET_KEY="x" * 50, ALLOWED_HOSTS=["127.0.0.1"], DEBUG=False,
    DATABASES={{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": sys.argv[1]}}}},
    INSTALLED_APPS=["django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes",
                    "django.contrib.sessions", "django.contrib.messages"],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware",
                "django.middleware.csrf.CsrfViewMiddleware",
                "django.contrib.auth.middleware.AuthenticationMiddleware",
                "django.contrib.messages.middleware.MessageMiddleware"],
    TEMPLATES=[{{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
                "OPTIONS": {{"context_processors": ["django.template.context_processors.request",
                                                  "django.contrib.auth.context_processors.auth",
                                                  "django.contrib.messages.context_processors.messages"]}}}}],
)
django.setup()
call_command("migrate", verbosity=0)
from django.contrib.auth.models import User
User.objects.create_superuser("ann", password="{PASSWORD}")
urlpatterns = [path("admin/", admin.site.urls)]
app = get_wsgi_application()
"""
FLASK = f"""
from flask import Flask, redirect, render_template_string
from flask_login import LoginManager, UserMixin, login_required, login_user
from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField, SubmitField
from wtforms.validators import DataRequired

app = Flask(__name__)
app.secret_key = "x" * 50
users = LoginManager(app)
users.login_view = "login"

class User(UserMixin):
    id = "ann"

users.user_loader(lambda _: User())

class Form(FlaskForm):
    email = StringField(validators=[DataRequired()])
    secret = PasswordField(validators=[DataRequired()])
    submit = SubmitField()

@app.route("/login", methods=["GET", "POST"])
def login():
    form = Form()
    if form.validate_on_submit() and (form.email.data, form.secret.data) == ("ann", "{PASSWORD}"):
        login_user(User())
        return redirect("/")
    fields = "{{{{ form.hidden_tag() }}}}{{{{ form.email }}}}{{{{ form.secret }}}}{{{{ form.submit }}}}"
    page = "<!doctype html><form method=post>" + fields + "</form>"
    return render_template_string(page, form=form)

@app.route("/")
@login_required
def home():
    return "<p>Welcome"
"""
SERVE = """
from wsgiref.simple_server import make_server
server = make_server("127.0.0.1", 0, app)
print(server.server_port, flush=True)
server.serve_forever()
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with both frameworks."""
    packages = ("django==5.2.8", "flask-wtf==1.3.0", "flask-login==0.6.3")
    return environment_with(tmp_path_factory.mktemp("frameworks") / "venv", *packages)


@contextmanager
def running(python: Path, program: str, folder: Path) -> Iterator[str]:
    """Run an application; yield its origin."""
    file, printed = folder / "app.py", folder / "port"
    file.write_text(program + SERVE)
    with printed.open("w") as out, (folder / "log").open("w") as log:
        process = subprocess.Popen((python, file, folder / "db.sqlite3"), stdout=out, stderr=log)
    try:
        wait_until(lambda: printed.read_text().endswith("\n"), within_s=60)
        yield f"http://127.0.0.1:{printed.read_text().strip()}"
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("program", "path", "page"),
    [(DJANGO, "/admin/login/", "/admin/"), (FLASK, "/login", "/")],
    ids=["Django", "Flask"],
)
def test_the_real_password_signs_in_and_another_one_does_not(
    program: str, path: str, page: str, python: Path, tmp_path: Path
) -> None:
    with running(python, program, tmp_path) as origin:
        assert sign_in(origin, account(), path=path) is None
        assert sign_in(origin, account(signed_in_path=page), path=path) is None
        why = sign_in(origin, account("wr0ng-password"), path=path)
    assert isinstance(why, Refused), why
