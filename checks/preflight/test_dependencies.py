"""Section 4: dependencies are locked, and come from known registries."""

import pytest


@pytest.mark.item("preflight.python-locked")
@pytest.mark.timeout(300)
@pytest.mark.needs("project")
def test_python_requirements_are_pinned_and_locked(project, measure):
    """Each requirement has one version, the lock has the same one, and the installer finds no conflict."""
    wanted, installed = project.requirements(), project.install()
    drift = wanted.out_of_step(project.locked())

    measure("pinned", len(wanted.pinned), "count")
    measure("installable", installed.possible)
    measure("installer_says", installed.description)
    assert wanted.found, "no requirement at all was found"
    assert not wanted.loose, f"of no one version: {', '.join(wanted.loose[:5])}"
    assert not drift, f"the lock is out of step: {', '.join(drift[:5])}"
    assert installed.possible is not False, f"they cannot be installed together: {installed.description}"


@pytest.mark.item("preflight.node-locked")
@pytest.mark.timeout(120)
@pytest.mark.needs("project")
def test_the_node_lock_is_in_step(project, measure):
    """The lock file matches package.json; npm, if it is installed, confirms that."""
    drift, installed = project.node_drift(), project.node_install()

    measure("installable", installed.possible)
    measure("npm_says", installed.description)
    assert not drift, f"package.json and its lock disagree: {'; '.join(drift[:5])}"
    assert installed.possible is not False, f"npm ci refuses: {installed.description}"


@pytest.mark.item("preflight.registries-known")
@pytest.mark.needs("project")
def test_every_package_comes_from_a_registry_we_know(project):
    """Requirements and locks use only the environment's registries, by https."""
    strange = project.strange_addresses()

    assert not strange, f"packages would come from {', '.join(strange)}"
