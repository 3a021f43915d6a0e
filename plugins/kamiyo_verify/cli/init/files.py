"""The files of a new project, as text: short, commented, and valid as they are."""

from __future__ import annotations

import json
import re

from kamiyo_verify.cli.init.choosing import Check, checks_for
from kamiyo_verify.cli.init.wanted import COMMIT_LINE, Host, Wanted

_FIXTURES = ("http", "hosting", "database", "expected_commit", "environment", "measure")


def files_of(wanted: Wanted) -> dict[str, str]:
    """Return the text of each file by its path in the project."""
    checks = [*checks_for(wanted)]
    return {
        "runbook.toml": _runbook(wanted.title, checks),
        "environments/prod.toml": _environment(wanted),
        "checks/postdeploy/test_generic.py": _tests(checks),
        "conftest.py": '"""The fixtures of our own checks go here."""\n',
        "pyproject.toml": _PYPROJECT,
        **({".env.example": _example(wanted)} if wanted.variables else {}),
    }


def _runbook(title: str, checks: list[Check]) -> str:
    impacts = [one for one in ("data", "auth", "core") if any(check.impact == one for check in checks)]
    lines = [
        "# What has to be true after a deployment. A failure of core, data or auth can ask for a rollback.",
        f"title = {_text(title)}",
        f"policy.required_impacts = {json.dumps(impacts)}",
        "[[sections]]",
        'title = "After the deployment"',
        "items = [",
        *(f"    {_item(check)}," for check in checks),
        "]",
    ]
    return "\n".join(lines) + "\n"


def _item(check: Check) -> str:
    keys = {"id": f"postdeploy.{check.item}", "title": check.title, "impact": check.impact}
    told = [*(f"{key} = {_text(value)}" for key, value in keys.items()), f'services = ["{check.service}"]']
    return f"{{ {', '.join([*told, *(['optional = true'] if check.optional else [])])} }}"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _environment(wanted: Wanted) -> str:
    production = all(url.startswith("https://") for url in wanted.urls.values())
    lines = [
        "# Where the platform is. Secrets are never written here, only the names of their variables.",
        f"title = {json.dumps(wanted.title, ensure_ascii=False)}",
        f"production = {str(production).lower()}",
        "# Addresses that are not ours: if they answer, a silent service is an outage and not our network.",
        f"control.urls = {json.dumps(list(wanted.control))}",
    ]
    for name, url in wanted.urls.items():
        lines += [f"[services.{name}]", f'url = "{url}"', *_deployment(wanted, name)]
        if wanted.seen[name].health != "/":
            lines.append(f'health_path = "{wanted.seen[name].health}"')
        if wanted.seen[name].commit:
            lines.append(f"commit = {wanted.seen[name].commit}")
        else:
            lines.append(f"# {COMMIT_LINE}  # where {name} reports its commit: then pass --commit")
    for name in wanted.workers:
        lines += [f"[services.{name}]", *(_deployment(wanted, name) or ["# a worker has no url"])]
    if wanted.sign_in:
        mine = wanted.sign_in
        lines += [
            "[credentials.account]",
            f'variable = "{mine.variable}"',
            f'send = "{mine.send}"',
            f"user = {json.dumps(mine.user)}",
            *([f'user_field = "{mine.user_field}"'] if mine.send != "basic" else []),
            f'services = ["{mine.service}"]',
        ]
    return "\n".join([*lines, *_host(wanted.host)]) + "\n"


def _deployment(wanted: Wanted, name: str) -> list[str]:
    """The name of a service's Deployment, which is mostly the service's own."""
    return [f'hosting_id = "{name}"  # its Deployment'] if wanted.host.kind == "kubernetes" else []


def _host(host: Host) -> list[str]:
    match host.kind:
        case "render":
            return ["# [render]: kamiyo-verify render-ids prints this table and each hosting_id"]
        case "command":
            return ["# [command]: your commands, and a hosting_id for each service: docs/project-files.md"]
        case "kubernetes":
            return [
                "[kubernetes]",
                f"namespace = {_text(host.namespace)}",
                f"context = {_text(host.context)}",
                'commit = { image = "tag" }  # where a pod template names its commit: docs/kubernetes.md',
            ]
    return []


def _tests(checks: list[Check]) -> str:
    lines = ["import pytest", "from kamiyo_verify.checks import library", "pytestmark = pytest.mark.asks"]
    for check in checks:
        named = set(re.findall(r"\w+", re.sub(r'"(?:[^"\\]|\\.)*"', "", check.call)))
        fixtures = [one for one in _FIXTURES if one in named]
        lines += [
            "",
            f'@pytest.mark.item("postdeploy.{check.item}")',
            *([f'@pytest.mark.needs("{check.needs}")'] if check.needs else []),
            f"def test_{check.item.replace('-', '_')}({', '.join(fixtures)}):",
            f"    {check.call}",
        ]
    return "\n".join(lines) + "\n"


def _example(wanted: Wanted) -> str:
    lines = ["# Copy this file to .env and fill it in; git must ignore .env."]
    return "\n".join([*lines, *(f"{one}=" for one in wanted.variables)]) + "\n"


_PYPROJECT = """[tool.pytest]
strict = true
testpaths = ["checks"]
addopts = ["--import-mode=importlib", "--env=prod", "-p", "no:anyio"]  # its plugin loads asyncio in each run
"""
