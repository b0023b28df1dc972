"""The ground of the process tests: a bootstrapped folder, and one free port for each role."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts import town
from tests.processes.ground import Ground

STATUS_AGE = {"FACET_ISSUER_STATUS_TTL": "1", "FACET_VERIFIER_STATUS_SECONDS": "60"}


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """A bootstrapped folder with nothing running."""
    if not Path("/proc/self/task").is_dir():
        pytest.skip("killing a service with all its workers needs /proc")
    ground = Ground(tmp_path_factory.mktemp("town"), town.free_ports(), STATUS_AGE)
    town.bootstrap(ground.directory, ground.urls)
    try:
        yield ground
    finally:
        for role, process in ground.processes.items():
            if process.poll() is None:
                ground.kill(role)


@pytest.fixture(scope="module")
def ground(bare: Ground) -> Ground:
    """The same with all three services up."""
    bare.start(*bare.ports)
    return bare
