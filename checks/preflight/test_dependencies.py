"""Section 4: what is built is what was tested, from where we know."""

import pytest


@pytest.mark.item("preflight.python-locked")
@pytest.mark.timeout(300)
@pytest.mark.needs("project")
def test_python_requirements_are_pinned_and_locked(project, measure):
    """Each names one version, the lock has the same one, and the installer sees no contradiction."""
    wanted, installed = project.requirements(), project.install()
    drift = wanted.out_of_step(project.locked())

    measure("pinned", len(wanted.pinned), "count")
    measure("installable", installed.possible)
    measure("installer_says", installed.told)
    assert wanted.pinned or wanted.loose, "no requirement at all was found"
    assert not wanted.loose, f"of no one version: {', '.join(wanted.loose[:5])}"
    assert not drift, f"the lock is out of step: {', '.join(drift[:5])}"
    assert installed.possible is not False, f"they cannot be installed together: {installed.told}"


@pytest.mark.item("preflight.node-locked")
@pytest.mark.timeout(120)
@pytest.mark.needs("project")
def test_the_node_lock_is_in_step(project, measure):
    """The one lock file was made for package.json as it is; where npm is there, it says so too."""
    drift, installed = project.node_drift(), project.node_install()

    measure("installable", installed.possible)
    measure("npm_says", installed.told)
    assert not drift, f"package.json and its lock disagree: {'; '.join(drift[:5])}"
    assert installed.possible is not False, f"npm ci refuses: {installed.told}"


@pytest.mark.item("preflight.registries-known")
@pytest.mark.needs("project")
def test_every_package_comes_from_a_registry_we_know(project):
    """Requirements and locks point nowhere but to the environment's registries, by https."""
    strange = project.strange_addresses()

    assert not strange, f"packages would come from {', '.join(strange)}"
