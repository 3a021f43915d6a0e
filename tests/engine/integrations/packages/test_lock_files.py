"""Lock files of every package manager: read by form, held against the manifest, or named as not read."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from kamiyo_verify.integrations.packages.dependencies import (
    all_strange,
    node_addresses,
    node_drift,
    node_lock,
    node_root,
    python_locked,
    python_wanted,
    strange_addresses,
)
from kamiyo_verify.integrations.packages.files import NotRead
from kamiyo_verify.integrations.packages.python_locks import python_lock
from kamiyo_verify.model.outcomes import NoAnswer, Unverified, WrongAnswer
from tests.checks.test_preflight_project import client

REAL = Path(__file__).parent / "lockfiles"
NODE = sorted(folder.name for folder in REAL.iterdir() if (folder / "package.json").is_file())
WORKSPACES = ["npm2", "npm3", "yarn1", "pnpm7", "pnpm8", "pnpm9", "bun", "berry"]
NAMES = ("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock")
REGISTRIES = (
    "https://registry.npmjs.org",
    "https://registry.yarnpkg.com",
    "https://pypi.org",
    "https://files.pythonhosted.org",
)


@pytest.fixture
def project(tmp_path: Path) -> Callable[[str], Path]:
    """A copy of a folder of real files, to be changed."""

    def copied(name: str) -> Path:
        return Path(shutil.copytree(REAL / name, tmp_path / name))

    return copied


def lock_of(folder: Path) -> Path:
    return next(folder / name for name in NAMES if (folder / name).is_file())


def edited(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text, f"{path} has no {old}"
    path.write_text(text.replace(old, new))


def strange(folder: Path) -> tuple[str, ...]:
    return strange_addresses(node_addresses(folder), REGISTRIES)


@pytest.mark.parametrize("name", NODE)
def test_a_real_lock_file_is_in_step_and_of_known_registries(name: str) -> None:
    assert node_drift(REAL / name) == ()
    assert strange(REAL / name) == ()


@pytest.mark.parametrize("name", NODE)
def test_a_range_that_changed_after_the_lock_is_drift(project: Callable[[str], Path], name: str) -> None:
    folder = project(name)
    manifest = json.loads((folder / "package.json").read_text())
    manifest["dependencies"]["once"] = "~1.3.0"
    (folder / "package.json").write_text(json.dumps(manifest))
    [told] = node_drift(folder)
    assert told.startswith("once: wanted ~1.3.0, locked for ")


@pytest.mark.parametrize("name", NODE)
def test_a_package_that_the_lock_has_not_is_drift(project: Callable[[str], Path], name: str) -> None:
    folder = project(name)
    manifest = json.loads((folder / "package.json").read_text())
    manifest["dependencies"]["isobject"] = "^4.0.0"
    (folder / "package.json").write_text(json.dumps(manifest))
    assert node_drift(folder) == ("isobject: wanted ^4.0.0, locked for nothing",)


@pytest.mark.parametrize("name", [name for name in NODE if not name.startswith(("yarn1", "npm1"))])
def test_a_package_that_was_removed_is_drift_where_the_lock_says_so(
    project: Callable[[str], Path], name: str
) -> None:
    folder = project(name)
    manifest = json.loads((folder / "package.json").read_text())
    del manifest["dependencies"]["left-pad"]
    (folder / "package.json").write_text(json.dumps(manifest))
    [told] = node_drift(folder)
    assert told.startswith("left-pad: wanted no more, locked for ")


@pytest.mark.parametrize("name", WORKSPACES)
def test_a_member_of_a_workspace_is_held_against_the_lock_at_its_root(
    project: Callable[[str], Path], name: str
) -> None:
    folder = project(name)
    edited(folder / "packages/part/package.json", "^2.0.0", "^1.0.0")
    [told] = node_drift(folder)
    assert told.startswith("packages/part: isarray: wanted ^1.0.0, locked for ")


@pytest.mark.parametrize("name", WORKSPACES)
def test_the_folder_of_a_workspace_member_leads_to_the_lock_at_its_root(name: str) -> None:
    assert node_root(REAL / name / "packages/part", REAL / name) == REAL / name


@pytest.mark.parametrize("name", ["npm3", "yarn1", "bun", "berry", "pnpm9"])
def test_braces_in_the_pattern_of_a_workspace_stand_for_several_folders(
    project: Callable[[str], Path], name: str
) -> None:
    folder = project(name)
    file = "pnpm-workspace.yaml" if name == "pnpm9" else "package.json"
    braces = '"{apps,packages}/{part,x}"' if name == "pnpm9" else "{apps,packages}/{part,x}"
    edited(folder / file, "packages/*", braces)
    assert node_drift(folder) == ()
    edited(folder / "packages/part/package.json", "^2.0.0", "^1.0.0")
    [told] = node_drift(folder)
    assert told.startswith("packages/part: isarray: wanted ^1.0.0, locked for ")
    edited(folder / file, "{apps,packages}/{part,x}", "packages/!(old)")
    with pytest.raises(NotRead, match="the workspace pattern"):
        node_drift(folder)


def test_a_project_without_a_folder_of_its_own_is_at_the_root(project: Callable[[str], Path]) -> None:
    folder = project("npm3")
    assert node_root(folder / "website", folder) == folder
    assert client(folder).node_drift() == ()


UNKNOWN = {
    "npm3": ('"lockfileVersion": 3', '"lockfileVersion": 4'),
    "npm2": ('"lockfileVersion": 2', '"lockfileVersion": "2"'),
    "yarn1": ("# yarn lockfile v1", "# yarn lockfile v3"),
    "berry": ("version: 10\n", "version: 99\n"),
    "pnpm7": ("lockfileVersion: 5.4", "lockfileVersion: 4.0"),
    "pnpm9": ("lockfileVersion: '9.0'", "lockfileVersion: '12.0'"),
    "bun": ('"lockfileVersion": 2', '"lockfileVersion": 7'),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_version_of_a_lock_file_that_is_not_known_is_not_read(
    project: Callable[[str], Path], name: str
) -> None:
    folder = project(name)
    edited(lock_of(folder), *UNKNOWN[name])
    for read in (node_drift, node_addresses):
        with pytest.raises(NotRead, match=f"not read: {lock_of(folder).name}: "):
            read(folder)


FOREIGN = {
    "npm2 resolved elsewhere": (
        "npm2", '"node_modules/once": {', '"node_modules/once": {"resolved": "https://evil.example/once.tgz",'),
    "npm1 nested dependency elsewhere": (
        "npm1", '"once": {', '"once": {"dependencies": {"x": {"version": "1", "resolved": "https://evil.example/x"}},'),
    "npm1 version is an address": ("npm1", '"version": "1.4.0"', '"version": "https://evil.example/once.tgz"'),
    "yarn 1 resolved elsewhere": ("yarn1", "https://registry.yarnpkg.com/once", "https://evil.example/once"),
    "yarn 1 resolved without quotes": (
        "yarn1", 'resolved "https://registry.yarnpkg.com/once', 'resolved https://evil.example/a\n  x "'),
    "yarn berry __archiveUrl": (
        "berry", '"left-pad@npm:1.3.0"',
        '"left-pad@npm:1.3.0::__archiveUrl=https%3A%2F%2Fevil.example%2Fleft-pad-1.3.0.tgz"'),
    "yarn berry patch of a tarball": (
        "berry-protocols", "once@patch:once@npm%3A1.4.0#",
        "once@patch:once@https%3A%2F%2Fevil.example%2Fonce.tgz#"),
    "yarn berry archiveUrl in a patch": (
        "berry-protocols", "once@patch:once@npm%3A1.4.0#",
        "once@patch:once@npm%3A1.4.0%3A%3A__archiveUrl=https%253A%252F%252Fevil.example%252Fx#"),
    "yarn berry tarball": (
        "berry-protocols", '"left-pad@https://registry.npmjs.org/', '"left-pad@https://evil.example/'),
    "pnpm tarball": (
        "pnpm9", "{integrity: sha512-lNa", "{tarball: https://evil.example/x, integrity: sha512-lNa"),
    "pnpm 6 tarball": (
        "pnpm8", "{integrity: sha512-lNa", "{tarball: https://evil.example/x, integrity: sha512-lNa"),
    "pnpm 5 package of another registry": ("pnpm7", "  /once/1.4.0:", "  evil.example/once/1.4.0:"),
    "pnpm git": (
        "pnpm9", "{integrity: sha512-lNa", "{type: git, repo: https://evil.example/a, commit: a, x: l"),
    "bun registry": ("bun", '["once@1.4.0", ""', '["once@1.4.0", "https://evil.example/"'),
    "bun tarball": ("bun-local", "left-pad@https://registry.npmjs.org/", "left-pad@https://evil.example/"),
}  # fmt: skip


@pytest.mark.parametrize("case", FOREIGN)
def test_a_package_from_an_address_outside_the_registries_is_seen(
    project: Callable[[str], Path], case: str
) -> None:
    name, old, new = FOREIGN[case]
    folder = project(name)
    edited(lock_of(folder), old, new)
    assert strange(folder) == ("https://evil.example",)


GIT = {
    "npm3": ('"node_modules/once": {', '"node_modules/once": {"resolved": "git+ssh://git@code.example/a/b.git#0a1b",'),
    "yarn1": ('"https://registry.yarnpkg.com/once/', '"git+ssh://git@code.example/a/b.git#'),
    "berry": ('resolution: "once@npm:1.4.0"', 'resolution: "once@ssh://git@code.example/a/b.git#commit=0a1b"'),
    "bun": ('["once@1.4.0", ""', '["once@git+ssh://git@code.example/a/b.git#0a1b"'),
}  # fmt: skip


@pytest.mark.parametrize("name", GIT)
def test_a_package_from_git_over_ssh_is_of_no_registry(project: Callable[[str], Path], name: str) -> None:
    folder = project(name)
    edited(lock_of(folder), *GIT[name])
    [address] = strange(folder)
    assert address.endswith("ssh://code.example")


def test_github_in_short_is_an_address_too(project: Callable[[str], Path]) -> None:
    folder = project("bun")
    edited(folder / "bun.lock", '["once@1.4.0", ""', '["once@github:a/b#0a1b"')
    assert strange(folder) == ("https://github.com",)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("berry", 'resolution: "once@npm:1.4.0"', 'resolution: "once@exec:./generate.js"'),
        ("berry", 'resolution: "once@npm:1.4.0"', "resolution: [1]"),
        ("bun", '"once": ["once@1.4.0"', '"once": ["once"'),
        ("npm3", '"version": "1.4.0"', '"version": "1.4.0", "resolved": 7'),
        ("pnpm9", "{integrity: sha512-lNa", "{custom: sha512-lNa"),
        ("yarn1", "once@~1.4.0:\n", "once@~1.4.0\n"),
        ("yarn1", "once@~1.4.0:\n", "<<<<<<< HEAD\nonce@~1.4.0:\n"),
    ],
)
def test_an_entry_that_is_not_known_is_not_read(
    project: Callable[[str], Path], name: str, old: str, new: str
) -> None:
    folder = project(name)
    edited(lock_of(folder), old, new)
    with pytest.raises(NotRead, match="not read"):
        node_addresses(folder)


def test_bun_lockb_is_not_read(project: Callable[[str], Path]) -> None:
    folder = project("bun")
    (folder / "bun.lock").rename(folder / "bun.lockb")
    for read in (node_drift, node_addresses, node_lock):
        with pytest.raises(NotRead, match=r"not read: bun\.lockb: bun's binary form"):
            read(folder)


def test_bun_lock_comes_before_bun_lockb(project: Callable[[str], Path]) -> None:
    folder = project("bun")
    (folder / "bun.lockb").write_bytes(b"\0")
    assert node_lock(folder).name == "bun.lock"


def test_npm_shrinkwrap_comes_before_package_lock(project: Callable[[str], Path]) -> None:
    folder = project("npm3")
    shutil.copy(folder / "package-lock.json", folder / "npm-shrinkwrap.json")
    assert node_lock(folder).name == "npm-shrinkwrap.json"
    assert node_drift(folder) == ()


def test_package_manager_in_package_json_chooses_among_several_lock_files(
    project: Callable[[str], Path],
) -> None:
    folder = project("pnpm9")
    shutil.copy(REAL / "yarn1/yarn.lock", folder / "yarn.lock")
    with pytest.raises(WrongAnswer, match="exactly one"):
        node_lock(folder)
    edited(
        folder / "package.json", '"private":true', '"private":true,"packageManager":"pnpm@9.15.9+sha512.0a"'
    )
    assert node_lock(folder).name == "pnpm-lock.yaml"
    edited(folder / "yarn.lock", "https://registry.yarnpkg.com/once", "https://evil.example/once")
    assert strange(folder) == ("https://evil.example",)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        (".npmrc", "registry=https://evil.example/npm/\n"),
        (".npmrc", "; comment\n@team:registry = https://evil.example/\n"),
        (".npmrc", "//evil.example/:_authToken=${TOKEN}\nregistry=https://evil.example/\n"),
        (".yarnrc", 'registry "https://evil.example/"\n'),
        (".yarnrc.yml", "npmRegistryServer: https://evil.example\n"),
        (".yarnrc.yml", "npmScopes:\n  team:\n    npmRegistryServer: 'https://evil.example'\n"),
        ("bunfig.toml", '[install]\nregistry = "https://evil.example"\n'),
        ("bunfig.toml", '[install.scopes]\nteam = { url = "https://evil.example", token = "$X" }\n'),
    ],
)
def test_a_registry_in_the_checkouts_settings_is_an_address(
    project: Callable[[str], Path], name: str, settings: str
) -> None:
    folder = project("npm3")
    (folder / name).write_text(settings)
    assert strange(folder) == ("https://evil.example",)


def test_a_registry_whose_host_is_a_variable_is_not_read(project: Callable[[str], Path]) -> None:
    folder = project("npm3")
    (folder / ".npmrc").write_text("registry=https://${REGISTRY_HOST}/\n")
    with pytest.raises(NotRead, match="a variable"):
        node_addresses(folder)


def test_a_lock_with_crlf_and_a_byte_order_mark_is_read(project: Callable[[str], Path]) -> None:
    for name in ("npm3", "yarn1", "berry", "pnpm9", "bun"):
        folder = project(name)
        lock = lock_of(folder)
        lock.write_bytes(b"\xef\xbb\xbf" + lock.read_bytes().replace(b"\n", b"\r\n"))
        assert node_drift(folder) == (), name
        assert strange(folder) == (), name


def test_pnpm_overrides_stand_in_the_lock_in_place_of_the_range(project: Callable[[str], Path]) -> None:
    folder = project("pnpm9")
    edited(folder / "pnpm-lock.yaml", "specifier: ~1.4.0", "specifier: 1.4.0")
    assert node_drift(folder) == ("once: wanted ~1.4.0, locked for 1.4.0",)
    edited(folder / "pnpm-lock.yaml", "importers:", "overrides:\n  once: 1.4.0\n\nimporters:")
    edited(folder / "package.json", '"private":true', '"private":true,"pnpm":{"overrides":{"once":"1.4.0"}}')
    assert node_drift(folder) == ()


SETTINGS = {
    "catalog of pnpm": (
        "pnpm10-settings", "pnpm-workspace.yaml", "util-deprecate: ^1.0.1", "util-deprecate: ^1.0.2",
        "packages/part: util-deprecate: wanted ^1.0.2, locked for ^1.0.1"),
    "catalog of pnpm by name": (
        "pnpm10-settings", "pnpm-workspace.yaml", "inherits: ^2.0.1", "inherits: ^2.0.3",
        "packages/part: inherits: wanted ^2.0.3, locked for ^2.0.1"),
    "catalog of bun": (
        "bun-settings", "package.json", '"util-deprecate": "^1.0.1"', '"util-deprecate": "^1.0.2"',
        "packages/part: util-deprecate: wanted ^1.0.2, locked for ^1.0.1"),
    "catalog of yarn": (
        "berry-settings", ".yarnrc.yml", "util-deprecate: ^1.0.1", "util-deprecate: ^1.0.2",
        "packages/part: util-deprecate: wanted catalog:, locked for nothing"),
    "override of pnpm 10": (
        "pnpm10-settings", "pnpm-workspace.yaml", "isarray@^2: 2.0.5", "isarray@^2: 2.0.4",
        "the override of isarray@^2: wanted 2.0.4, locked for 2.0.5"),
    "override of pnpm 8": (
        "pnpm8-settings", "package.json", '"isarray@^2": "2.0.5"', '"isarray@^2": "2.0.4"',
        "the override of isarray@^2: wanted 2.0.4, locked for 2.0.5"),
    "override of bun": (
        "bun-settings", "package.json", '{"wrappy": "1.0.2"}', '{"wrappy": "1.0.1"}',
        "the override of wrappy: wanted 1.0.1, locked for 1.0.2"),
    "peer that pnpm installs": (
        "pnpm8-settings", "packages/part/package.json", '"inherits": "2"', '"inherits": "1"',
        "packages/part: inherits: wanted 1, locked for 2"),
    "archive of a member": (
        "yarn1-paths", "packages/part/package.json", "file:../../local/local-1.0.0.tgz",
        "file:../local/local-1.0.0.tgz",
        "packages/part: archive: wanted file:../local/local-1.0.0.tgz, locked for nothing"),
}  # fmt: skip


@pytest.mark.parametrize("case", SETTINGS)
def test_what_a_workspace_sets_for_its_members_is_held_against_the_lock(
    project: Callable[[str], Path], case: str
) -> None:
    name, file, old, new, told = SETTINGS[case]
    folder = project(name)
    edited(folder / file, old, new)
    assert node_drift(folder) == (told,)


@pytest.mark.parametrize("given", ["link:../../local", "link:/home/ann/shop/local"])
def test_a_path_that_overrides_a_package_is_written_for_each_member(
    project: Callable[[str], Path], given: str
) -> None:
    folder = project("pnpm9")
    edited(
        folder / "package.json",
        '"private":true',
        '"private":true,"pnpm":{"overrides":{"isarray":"link:./local"}}',
    )
    edited(folder / "pnpm-lock.yaml", "importers:", "overrides:\n  isarray: link:./local\n\nimporters:")
    edited(folder / "pnpm-lock.yaml", "specifier: ^2.0.0", f"specifier: {given}")
    assert node_drift(folder) == ()
    edited(folder / "pnpm-lock.yaml", f"specifier: {given}", f"specifier: {given}/other")
    assert node_drift(folder) == (f"packages/part: isarray: wanted ^2.0.0, locked for {given}/other",)


def test_before_pnpm_8_resolutions_count_without_overrides_alone(project: Callable[[str], Path]) -> None:
    folder = project("pnpm7")
    overrides = '"resolutions":{"isarray":"1"},"pnpm":{"overrides":{"wrappy":"1.0.2"}}'
    edited(folder / "package.json", '"private":true', f'"private":true,{overrides}')
    edited(folder / "pnpm-lock.yaml", "importers:", "overrides:\n  wrappy: 1.0.2\n\nimporters:")
    assert node_drift(folder) == ()


def test_optional_packages_that_pnpm_ignores_are_no_drift(project: Callable[[str], Path]) -> None:
    folder = project("pnpm9")
    edited(
        folder / "package.json",
        '"private":true',
        '"private":true,"optionalDependencies":{"fsevents":"^2.3.0"}',
    )
    assert node_drift(folder) == ("fsevents: wanted ^2.3.0, locked for nothing",)
    lock = folder / "pnpm-lock.yaml"
    lock.write_text(lock.read_text() + "\nignoredOptionalDependencies:\n  - fs*\n")
    assert node_drift(folder) == ()


@pytest.mark.parametrize(("extended", "read"), [("part@*", False), ("part", False), ("once@1", True)])
def test_a_member_that_pnpm_extends_is_not_read_as_drift(
    project: Callable[[str], Path],
    extended: str,
    read: bool,  # noqa: FBT001
) -> None:
    folder = project("pnpm9")
    lock = folder / "pnpm-lock.yaml"
    edited(lock, "importers:", "packageExtensionsChecksum: 0a\n\nimporters:")
    extensions = f'packageExtensions:\n  "{extended}":\n    dependencies:\n      x: "1"\n'
    workspace = folder / "pnpm-workspace.yaml"
    workspace.write_text(workspace.read_text() + extensions)
    assert node_drift(folder) == ()
    edited(folder / "packages/part/package.json", "^2.0.0", "^1.0.0")
    if read:
        assert node_drift(folder)
    else:
        with pytest.raises(NotRead, match="packageExtensions rewrite a member"):
            node_drift(folder)


@pytest.mark.parametrize(
    ("resolutions", "told"),
    [
        ('{"wrappy": "1.0.2", "**/once": "npm:~1.4.0", "not-there": "1.0.0"}', ()),
        ('{"once/wrappy": "9.9.9", "wrappy@npm:1": "9.9.9", "once": "patch:once@npm%3A1.4.0#x"}', ()),
        ('{"**/wrappy": "1.0.1"}', ("the resolution of wrappy: wanted 1.0.1, locked for another",)),
    ],
)
def test_a_resolution_of_yarn_that_the_lock_was_not_made_with_is_drift(
    project: Callable[[str], Path], resolutions: str, told: tuple[str, ...]
) -> None:
    folder = project("berry")
    edited(folder / "package.json", '"private": true', f'"private": true, "resolutions": {resolutions}')
    assert node_drift(folder) == told


BUN_OVERRIDES = [
    ('{"once": "$once"}', '{"once": "~1.4.0"}'),
    ('{"part>wrappy": "1.0.2", "@a/b>once": "1"}', '{"part": {"wrappy": "1.0.2"}, "@a/b": {"once": "1"}}'),
    ('{"part": {".": "1", "wrappy": "1.0.2"}}', '{"part": {".": "1", "wrappy": "1.0.2"}}'),
    ('{"once@1": "1.4.0", "wrappy": ""}', '{"once@1": {".": "1.4.0"}}'),
    (
        '{}, "resolutions": {"**/once": "1.4.0", "part/wrappy": "1"}',
        '{"once": "1.4.0", "part": {"wrappy": "1"}}',
    ),
]


@pytest.mark.parametrize(("declared", "locked"), BUN_OVERRIDES)
def test_bun_writes_every_form_of_an_override_as_a_table(
    project: Callable[[str], Path], declared: str, locked: str
) -> None:
    folder = project("bun-settings")
    edited(folder / "package.json", '{"wrappy": "1.0.2"}', declared)
    edited(folder / "bun.lock", '{\n    "wrappy": "1.0.2",\n  }', locked)
    edited(folder / "bun.lock", '"lockfileVersion": 2', '"lockfileVersion": 3')
    assert node_drift(folder) == ()
    edited(folder / "bun.lock", locked, '{"wrappy": "9"}')
    assert "the override of wrappy: wanted no more, locked for 9" in node_drift(folder)


def test_what_a_pnpmfile_may_rewrite_is_not_read_as_drift(project: Callable[[str], Path]) -> None:
    folder = project("pnpm9")
    edited(folder / "pnpm-lock.yaml", "importers:", "pnpmfileChecksum: sha256-0a\n\nimporters:")
    assert node_drift(folder) == ()
    edited(folder / "package.json", "~1.4.0", "~1.3.0")
    with pytest.raises(NotRead, match=r"a \.pnpmfile\.cjs may rewrite it"):
        node_drift(folder)


@pytest.mark.parametrize(
    ("file", "setting"),
    [
        (".npmrc", "shared-workspace-lockfile=false\n"),
        ("pnpm-workspace.yaml", "sharedWorkspaceLockfile: false\n"),
    ],
)
def test_a_pnpm_workspace_whose_members_have_locks_of_their_own(
    project: Callable[[str], Path], file: str, setting: str
) -> None:
    folder = project("pnpm9")
    path = folder / file
    path.write_text((path.read_text() if path.is_file() else "") + setting)
    lock = folder / "pnpm-lock.yaml"
    text = lock.read_text()
    start, end = text.index("  packages/part:"), text.index("\npackages:")
    lock.write_text(text[:start] + text[end:])
    assert node_drift(folder) == ()


def test_pnpm_11_writes_a_second_document_before_the_lock(project: Callable[[str], Path]) -> None:
    folder = project("pnpm9")
    lock = folder / "pnpm-lock.yaml"
    first = "lockfileVersion: '9.0'\n\npackages:\n\n  pnpm@11.0.0:\n    resolution: {integrity: sha512-0a}\n"
    lock.write_text(f"---\n{first}\n---\n{lock.read_text()}")
    assert node_drift(folder) == ()
    edited(lock, "{integrity: sha512-0a}", "{integrity: sha512-0a, tarball: https://evil.example/p.tgz}")
    assert strange(folder) == ("https://evil.example",)


def test_yarn_1_keys_hold_commas_and_aliases(tmp_path: Path) -> None:
    wanted = {"a": ">=1, <2", "b": "npm:c@^1", "@team/d": "1 || 2"}
    (tmp_path / "package.json").write_text(json.dumps({"dependencies": wanted}))
    (tmp_path / "yarn.lock").write_text(
        '# yarn lockfile v1\n\n"a@>=1, <2", a@^1.0.0:\n  version "1.0.0"\n\n'
        '"b@npm:c@^1":\n  version "1.1.0"\n\n'
        '"@team/d@1 || 2", "@team/d@^2":\n  version "2.0.0"\n  optionalDependencies:\n    e "1"\n'
    )
    assert node_drift(tmp_path) == ()


def test_npm_v1_versions_are_held_against_the_ranges(tmp_path: Path) -> None:
    wanted = {"a": "^1.2.0", "b": "1.x", "c": "github:x/y", "d": ">=2 <3 || 4"}
    (tmp_path / "package.json").write_text(json.dumps({"dependencies": wanted}))
    locked = {"a": "1.9.0", "b": "2.0.0", "c": "github:x/y#0a1b", "d": "4.0.1"}
    entries = {name: {"version": version} for name, version in locked.items()}
    (tmp_path / "package-lock.json").write_text(json.dumps({"lockfileVersion": 1, "dependencies": entries}))
    assert node_drift(tmp_path) == ("b: wanted 1.x, locked for 2.0.0",)
    assert node_addresses(tmp_path) == ("https://github.com",)


def test_a_strange_address_is_told_although_another_file_is_not_read() -> None:
    def unread() -> tuple[str, ...]:
        raise NotRead(Path("x.lock"), "a new form")

    assert all_strange([unread, lambda: ("https://evil.example/x",)], REGISTRIES) == ("https://evil.example",)
    with pytest.raises(Unverified, match=r"not read: x\.lock: a new form"):
        all_strange([unread, lambda: ("https://pypi.org/simple",)], REGISTRIES)


# Python


@pytest.mark.parametrize("folder", ["uv", "pipenv", "pip-tools"])
def test_a_real_python_lock_is_in_step_and_of_known_registries(folder: str) -> None:
    wanted = python_wanted(REAL / folder, "requirements.txt", "requirements.txt.lock")
    locked = python_locked(REAL / folder, "requirements.txt", "requirements.txt.lock")
    assert {"idna", "six"} <= {*wanted.ranges, *wanted.versions}
    assert locked.pinned["six"] == "1.16.0"
    assert wanted.loose == locked.loose == ()
    assert wanted.out_of_step(locked) == ()
    assert strange_addresses([*wanted.addresses, *locked.addresses], REGISTRIES) == ()


def test_pylock_toml_is_read_as_pep_751_has_it() -> None:
    lock = python_lock(REAL / "uv/pylock.toml")
    assert lock.pinned == {"colorama": "0.4.6", "idna": "3.20", "iniconfig": "2.3.1", "six": "1.16.0"}
    assert strange_addresses(lock.addresses, REGISTRIES) == ()


@pytest.mark.parametrize(
    ("folder", "manifest", "old", "new", "told"),
    [
        ("uv", "pyproject.toml", "idna>=3", "idna>=99", "idna >=99 (locked: 3.20)"),
        ("uv", "pyproject.toml", "idna>=3", "attrs", "attrs any version (locked: not at all)"),
        ("pipenv", "Pipfile", '">=3"', '"~=99.0"', "idna ~=99.0 (locked: 3.20)"),
        ("pip-tools", "requirements.in", "six==1.16.0", "six==1.17.0", "six 1.17.0 (locked: 1.16.0)"),
    ],
)
def test_a_python_lock_out_of_step_with_its_manifest(
    project: Callable[[str], Path], folder: str, manifest: str, old: str, new: str, told: str
) -> None:
    place = project(folder)
    edited(place / manifest, old, new)
    wanted = python_wanted(place, "requirements.txt", "requirements.txt.lock")
    assert wanted.out_of_step(python_locked(place, "requirements.txt", "requirements.txt.lock")) == (told,)


POETRY = """
[[package]]
name = "Six"
version = "1.16.0"
files = [{file = "six-1.16.0.tar.gz", hash = "sha256:00"}]

[[package]]
name = "idna"
version = "3.20"

[package.source]
type = "legacy"
url = "https://evil.example/simple"
reference = "own"

[metadata]
lock-version = "2.1"
python-versions = ">=3.11"
content-hash = "00"
"""
PDM = """
[metadata]
lock_version = "4.5.0"
content_hash = "sha256:00"

[[package]]
name = "six"
version = "1.16.0"
files = [{url = "https://evil.example/six.tar.gz", hash = "sha256:00"}]

[[package]]
name = "own"
git = "https://evil.example/own.git"
revision = "0a1b"

[[package]]
name = "here"
path = "./here"
"""


def test_poetry_lock_and_its_carets(tmp_path: Path) -> None:
    (tmp_path / "poetry.lock").write_text(POETRY)
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "shop"\ndependencies = ["idna (>=3,<4)"]\n'
        '[tool.poetry.dependencies]\npython = "^3.11"\nsix = "^1.15"\n'
        'extra = {version = "*", optional = true}\n'
    )
    lock = python_locked(tmp_path, "requirements.txt", "requirements.txt.lock")
    wanted = python_wanted(tmp_path, "requirements.txt", "requirements.txt.lock")
    assert wanted.out_of_step(lock) == ()
    assert strange_addresses(lock.addresses, REGISTRIES) == ("https://evil.example",)
    edited(tmp_path / "pyproject.toml", "^1.15", "~1.15")
    wanted = python_wanted(tmp_path, "requirements.txt", "requirements.txt.lock")
    assert wanted.out_of_step(lock) == ("six >=1.15,<1.16 (locked: 1.16.0)",)


def test_pdm_lock(tmp_path: Path) -> None:
    (tmp_path / "pdm.lock").write_text(PDM)
    lock = python_lock(tmp_path / "pdm.lock")
    assert lock.pinned == {"six": "1.16.0", "own": "0a1b"}
    assert strange_addresses(lock.addresses, REGISTRIES) == ("https://evil.example",)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pylock.toml", 'lock-version = "2.0"\ncreated-by = "x"\npackages = []\n'),
        ("pylock.toml", 'lock-version = "1.0"\n'),
        ("uv.lock", "version = 2\n"),
        ("uv.lock", 'version = 1\n[[package]]\nname = "a"\nversion = "1"\nsource = { s3 = "x" }\n'),
        ("poetry.lock", '[metadata]\nlock-version = "3.0"\n'),
        ("poetry.lock", "package = []\n"),
        ("pdm.lock", '[metadata]\nlock_version = "5.0"\n'),
        ("Pipfile.lock", '{"_meta": {"pipfile-spec": 7}}'),
        ("Pipfile.lock", '{"_meta": {"pipfile-spec": 6, "sources": []}, "default": {"a": []}}'),
    ],
)
def test_a_python_lock_of_a_form_that_is_not_known_is_not_read(
    tmp_path: Path, name: str, content: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(NotRead, match=f"not read: {name}"):
        python_lock(tmp_path / name)


@pytest.mark.parametrize("name", ["uv.lock", "poetry.lock", "pdm.lock", "pylock.toml", "Pipfile.lock"])
@pytest.mark.parametrize("content", ["<html>", "[" * 10_000, "\0"])
def test_a_python_lock_that_is_something_else_is_never_passed(
    tmp_path: Path, name: str, content: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises((WrongAnswer, Unverified, NoAnswer)):
        python_lock(tmp_path / name)


def test_a_pipfile_source_without_certificate_verification_is_strange(tmp_path: Path) -> None:
    index = {"name": "pypi", "url": "https://pypi.org/simple", "verify_ssl": False}
    meta = {"pipfile-spec": 6, "sources": [index]}
    (tmp_path / "Pipfile.lock").write_text(json.dumps({"_meta": meta, "default": {"a": {"version": "==1"}}}))
    assert strange_addresses(python_lock(tmp_path / "Pipfile.lock").addresses, REGISTRIES) == (
        "http://pypi.org",
    )


def test_a_checkout_with_uv_alone_is_verified_as_a_whole(project: Callable[[str], Path]) -> None:
    folder = project("uv")
    shutil.copytree(REAL / "pnpm9", folder / "website")
    checkout = client(folder)
    assert checkout.requirements().found
    assert checkout.requirements().out_of_step(checkout.locked()) == ()
    assert checkout.node_drift() == ()
    assert checkout.strange_addresses() == ()
    assert checkout.install().possible is None


OWN = {
    "pylock.toml": (
        'lock-version = "1.0"\ncreated-by = "uv"\n'
        '[[packages]]\nname = "own-part"\ndirectory = { path = "PLACE" }\n'
    ),
    "uv.lock": 'version = 1\n[[package]]\nname = "own-part"\nsource = { editable = "PLACE" }\n',
    "pdm.lock": '[metadata]\nlock_version = "4.5.0"\n[[package]]\nname = "own-part"\npath = "PLACE"\n',
    "poetry.lock": (
        '[metadata]\nlock-version = "2.1"\n[[package]]\nname = "own-part"\nversion = "0.1"\n'
        '[package.source]\ntype = "directory"\nurl = "PLACE"\n'
    ),
    "Pipfile.lock": '{"_meta": {"pipfile-spec": 6}, "default": {"own-part": {"path": "PLACE"}}}',
}


@pytest.mark.parametrize("name", OWN)
def test_a_package_of_the_checkout_is_locked_without_a_version(tmp_path: Path, name: str) -> None:
    backend = tmp_path / "backend"
    (tmp_path / ".git").mkdir()
    backend.mkdir()
    (backend / "pyproject.toml").write_text('[project]\nname = "shop"\ndependencies = ["own-part"]\n')
    (backend / name).write_text(OWN[name].replace("PLACE", "../own/part"))
    wanted = python_wanted(backend, "requirements.txt", "requirements.txt.lock")
    locked = python_locked(backend, "requirements.txt", "requirements.txt.lock")
    assert (wanted.out_of_step(locked), locked.loose) == ((), ())
    assert strange_addresses(locked.addresses, REGISTRIES) == ()
    (backend / name).write_text(OWN[name].replace("PLACE", "../../elsewhere"))
    assert strange_addresses(python_lock(backend / name).addresses, REGISTRIES) == ("file://",)


def test_pip_takes_a_path_for_the_checkouts_own_and_only_within_it(tmp_path: Path) -> None:
    backend = tmp_path / "backend"
    (tmp_path / ".git").mkdir()
    backend.mkdir()
    addresses = {}
    for line in (
        "-e ../shared",
        "../shared[extra]",
        "-e file:../shared#egg=shared",
        "../../elsewhere",
        "-e file:../../x",
    ):
        (backend / "requirements.txt").write_text(f"{line}\nidna==3.20\n")
        found = python_wanted(backend, "requirements.txt", "requirements.txt.lock")
        assert not found.loose
        addresses[line] = strange_addresses(found.addresses, REGISTRIES)
    assert [line for line, strange in addresses.items() if strange] == ["../../elsewhere", "-e file:../../x"]


@pytest.mark.parametrize(
    ("given", "fits"),
    [
        ("3.*", True),
        ("2.*", False),
        ("==3.*", True),
        ("^2 || ^3.1", True),
        (">=4|<2", False),
        ("<2 || *", True),
    ],
)
def test_wildcards_and_alternatives_of_poetry_are_read(tmp_path: Path, given: str, fits: bool) -> None:  # noqa: FBT001
    (tmp_path / "poetry.lock").write_text(POETRY)
    (tmp_path / "pyproject.toml").write_text(f'[tool.poetry.dependencies]\nidna = "{given}"\n')
    wanted = python_wanted(tmp_path, "requirements.txt", "requirements.txt.lock")
    locked = python_locked(tmp_path, "requirements.txt", "requirements.txt.lock")
    assert (wanted.out_of_step(locked) == ()) is fits
