"""The nodes as fixtures: `node` runs a test on each kind, `embedded_node` and `anvil_node` on one of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.ledger import nodes

if TYPE_CHECKING:
    from tests.ledger.deployed import Deployed, Timed


@pytest.fixture(scope="session")
def anvil_node() -> Iterator[nodes.Node]:
    """The real node, shared by the session."""
    reason = nodes.anvil_missing()
    if reason is not None:
        pytest.skip(reason)
    with nodes.anvil() as node:
        yield node


@pytest.fixture(scope="session")
def embedded_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[nodes.Node]:
    """The embedded chain, shared by the session."""
    with nodes.embedded(tmp_path_factory.mktemp("chain")) as node:
        yield node


@pytest.fixture(params=nodes.NAMES)
def node(request: pytest.FixtureRequest) -> nodes.Node:
    """Both nodes in turn, each shared by the session: look only at what your own accounts wrote."""
    found: nodes.Node = request.getfixturevalue(f"{request.param}_node")
    return found


@pytest.fixture(params=nodes.NAMES)
def own_node(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[nodes.Node]:
    """Both nodes in turn, started for this test alone: for reorganisations and for counting blocks."""
    if request.param == "embedded":
        with nodes.embedded(tmp_path_factory.mktemp("chain")) as made:
            yield made
        return
    reason = nodes.anvil_missing()
    if reason is not None:
        pytest.skip(reason)
    with nodes.anvil() as made:
        yield made


@pytest.fixture(scope="session")
def _deployments() -> dict[str, Deployed]:
    return {}


@pytest.fixture
def deployed(node: nodes.Node, _deployments: dict[str, Deployed]) -> Deployed:
    """Both contracts of the house on both nodes in turn, shared by the session."""
    from tests.ledger.deployed import deploy

    if node.name not in _deployments:
        _deployments[node.name] = deploy(node)
    return _deployments[node.name]


@pytest.fixture(params=nodes.NAMES)
def timed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Timed]:
    """Both contracts on both nodes in turn, for this test alone, which moves the node's time."""
    from tests.ledger.deployed import Timed, deploy

    if request.param == "embedded":
        clock = [1_800_000_000]
        with nodes.embedded(tmp_path_factory.mktemp("chain"), clock=lambda: clock[0]) as made:
            yield Timed(deploy(made), lambda seconds: clock.__setitem__(0, clock[0] + seconds))
        return
    reason = nodes.anvil_missing()
    if reason is not None:
        pytest.skip(reason)
    with nodes.anvil() as made:
        yield Timed(deploy(made), lambda seconds: made.rpc.call("evm_increaseTime", [hex(seconds)]))
