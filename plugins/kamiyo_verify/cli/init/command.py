"""`kamiyo-verify init`: look at a platform, and write a project that verifies it."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from kamiyo_verify.cli.init.files import files_of
from kamiyo_verify.cli.init.greeting import Greeting, greeting_of
from kamiyo_verify.cli.init.looking import NothingAnswers, look_at
from kamiyo_verify.cli.init.named import (
    control_address,
    named_path,
    named_url,
    require_consistent,
    service_name,
)
from kamiyo_verify.cli.init.notes import notes_of, seen_of
from kamiyo_verify.cli.init.repository import WORKFLOW, repository_of
from kamiyo_verify.cli.init.wanted import Host, SignIn, Wanted
from kamiyo_verify.cli.init.workflow import workflow_of
from kamiyo_verify.model.figures import counted

_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0, or 2 if nothing was written."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    folder: Path = asked.folder
    if not asked.url and sys.stdin.isatty():
        try:
            asked.url = [named_url(input("URL of the first service: "))]
        except argparse.ArgumentTypeError as why:
            parser.error(f"--url: {why}")
    if not asked.url:
        parser.error("--url: at least one service needs an address, such as --url web=https://example.com")
    try:
        require_consistent(asked)
        wanted = _wanted(asked)
    except (NothingAnswers, ValueError) as why:
        sys.stderr.write(f"nothing was written: {why}\n")
        return 2
    files = files_of(wanted)
    if taken := sorted(name for name in files if (folder / name).exists()):
        exist = "exist" if len(taken) > 1 else "exists"
        sys.stderr.write(
            f"nothing was written: {', '.join(taken)} {exist} already. Write into a folder of its own,"
            " such as --folder verify\n"
        )
        return 2
    for name, seen in wanted.seen.items():
        sys.stdout.write(f"{name}: {seen_of(seen)}\n")
    for name, text in files.items():
        _write(folder / name, name, text)
    ignore, workflow = folder / ".gitignore", wanted.repository.root / WORKFLOW
    if not ignore.exists():
        _write(ignore, ignore.name, ".env\nreports/\n")
    text = workflow_of(wanted)
    there = workflow.read_text(encoding="utf-8", errors="replace") if workflow.exists() else None
    if there is None:
        _write(workflow, os.path.relpath(workflow, folder), text)
    for note in notes_of(wanted, folder=folder, kept=None if there == text else there):
        sys.stdout.write(f"note: {note}\n")
    sys.stdout.flush()
    if asked.plan:
        plan = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "postdeploy", "--plan"]
        subprocess.run(plan, cwd=folder, check=False)  # noqa: S603 - our own interpreter
    begin = "" if folder.resolve() == Path.cwd() else f"cd {shlex.quote(str(folder))}, then "
    sys.stdout.write(f"next: {begin}pytest -m postdeploy\n")
    return 0


def _write(path: Path, name: str, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    sys.stdout.write(f"wrote {name} ({counted(len(text.splitlines()), 'line')})\n")


def _wanted(asked: argparse.Namespace) -> Wanted:
    urls: dict[str, str] = dict(asked.url)
    seen = {name: look_at(url) for name, url in urls.items()}
    repository = repository_of(asked.folder)
    title = asked.title or next((one.title for one in seen.values() if one.title), "") or next(iter(urls))
    return Wanted(
        title=title,
        urls=urls,
        seen=seen,
        workers=tuple(asked.worker),
        host=_host(asked, blueprint=repository.blueprint),
        sign_in=_sign_in(asked, urls),
        repository=repository,
        control=tuple(asked.control),
        websockets=tuple(_greetings(asked.websocket, urls)),
    )


def _host(asked: argparse.Namespace, *, blueprint: bool) -> Host:
    if asked.host != "kubernetes":
        return Host(asked.host or ("render" if blueprint else ""))
    if not asked.namespace or not asked.context:
        raise ValueError("--host kubernetes needs --namespace, and --context, the context of the kubeconfig")
    return Host("kubernetes", asked.namespace, asked.context)


def _greetings(named: Sequence[tuple[str, str]], urls: dict[str, str]) -> Iterator[Greeting]:
    for name, path in named:
        service = name or next(iter(urls))
        if service not in urls:
            raise ValueError(f"--websocket: no service is called {service}; there are: {', '.join(urls)}")
        yield greeting_of(service, urls[service], path)


def _sign_in(asked: argparse.Namespace, urls: dict[str, str]) -> SignIn | None:
    if asked.sign_in is None:
        return None
    service, path, user = asked.sign_in_at or next(iter(urls)), asked.sign_in_path or "/login", asked.user
    if service not in urls:
        raise ValueError(f"--sign-in-at: no service is called {service}; there are: {', '.join(urls)}")
    if not user:
        raise ValueError("--sign-in needs --user, the name of the test account")
    if not path.startswith("/"):
        raise ValueError("--sign-in-path must start with /")
    variable = asked.password or f"{service.upper().replace('-', '_')}_PASSWORD"
    if not _VARIABLE.fullmatch(variable):
        raise ValueError("--password takes the NAME of a variable in capitals, never the password itself")
    return SignIn(service, asked.sign_in, path, user, asked.user_field or "username", variable)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kamiyo-verify init",
        epilog="--url, --worker, --websocket and --control may be given several times.",
        description="Look at a platform and write a project that verifies it: runbook.toml, an environment,"
        " checks, a CI workflow. Nothing that exists is overwritten.",
    )
    add = parser.add_argument
    add(
        "--url",
        action="append",
        default=[],
        type=named_url,
        metavar="[NAME=]URL",
        help="a service; repeatable",
    )
    add(
        "--worker",
        action="append",
        default=[],
        type=service_name,
        metavar="NAME",
        help="a service without URL",
    )
    add(
        "--websocket",
        action="append",
        default=[],
        type=named_path,
        metavar="[NAME=]PATH",
        help="a WebSocket of a service, such as /ws",
    )
    add("--title", default="", help="what reports call the platform (default: the title of its page)")
    add(
        "--host",
        choices=["render", "kubernetes", "command"],
        default="",
        help="the host (default: render.yaml, if any)",
    )
    add("--namespace", default="", metavar="NAME", help="of --host kubernetes")
    add("--context", default="", metavar="NAME", help="of --host kubernetes, in the kubeconfig")
    add("--sign-in", choices=["basic", "form", "json"], help="how a test account signs in")
    add(
        "--sign-in-at",
        default="",
        metavar="NAME",
        help="the service that it signs in at (default: the first)",
    )
    add("--sign-in-path", default="", metavar="PATH", help="where (/login)")
    add("--user", default="", help="the name of the test account")
    add("--user-field", default="", help="the field of the body that holds it (username)")
    add("--password", default="", metavar="VARIABLE", help="the variable of its password (NAME_PASSWORD)")
    add(
        "--control",
        action="append",
        default=[],
        type=control_address,
        metavar="URL",
        help="an address that is not the platform's",
    )
    add("--folder", type=Path, default=Path(), help="where to write (default: here)")
    add("--no-plan", dest="plan", action="store_false", help="do not run pytest --plan at the end")
    return parser
