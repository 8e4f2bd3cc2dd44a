import gc
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local import postgres
from local.azure_devops import seed
from local.azure_devops.organisation import Organisation
from local.azure_devops.running import RunningAzureDevOps, run_in_thread
from local.azure_devops.server import ServerOptions
from local.key_vault import running as running_vault
from local.key_vault.server import VaultOptions, VaultStandIn
from local.model import running as running_model
from local.model.server import ModelStandIn
from local.postgres import PostgresCluster

RecordFigure = Callable[[str, object], None]
"""pytest's `record_property`; what is recorded as `figure` is printed at the end of a run."""


def pytest_collection_finish() -> None:
    gc.freeze()  # the modules and tests, which stay: each full collection would look through them


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests have recorded, also those of parallel workers."""
    figures = [
        str(value)
        for report in terminalreporter.stats.get("passed", [])
        for name, value in report.user_properties
        if name == "figure"
    ]
    if figures:
        terminalreporter.section("figures")
        for figure in sorted(figures):
            terminalreporter.write_line(figure)


@pytest.fixture(scope="session")
def seeded_organisation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The seeded organisation, made once and copied by whoever needs one."""
    folder = tmp_path_factory.mktemp("seeded")
    organisation = Organisation(seed.ORGANISATION, folder)
    seed.seed(organisation)
    organisation.close()
    return folder


@pytest.fixture
def azure_devops(seeded_organisation: Path, tmp_path: Path) -> Iterator[RunningAzureDevOps]:
    """An Azure DevOps of the test's own; service hooks wait a thousandth of the real times."""
    folder = tmp_path / "azure-devops"
    shutil.copytree(seeded_organisation, folder)
    with run_in_thread(ServerOptions(folder, time_scale=0.001)) as running:
        yield running


@pytest.fixture
def model() -> Iterator[ModelStandIn]:
    """A model server of the test's own; its brain is the test's choice."""
    with running_model.run_in_thread() as stand_in:
        yield stand_in


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VaultStandIn]:
    """A Key Vault of the test's own; this process, and those it starts, find and trust it."""
    with running_vault.run_in_thread(VaultOptions(tmp_path / "vault")) as stand_in:
        for name, value in stand_in.environment.items():
            monkeypatch.setenv(name, value)
        yield stand_in


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[PostgresCluster]:
    """A PostgreSQL server for all tests of this process."""
    if not postgres.PROGRAMS:
        pytest.skip(postgres.MISSING)
    cluster = PostgresCluster()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture
def postgres_url(postgres_cluster: PostgresCluster) -> Iterator[str]:
    """An empty database of the test's own."""
    url = postgres_cluster.create_database()
    yield url
    postgres_cluster.drop_database(url)
