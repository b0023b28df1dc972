"""Is the conformance service off until it is asked for, on a port of its own, and without anything of its role's?"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import conformance as suites
from service.conformance import DEFAULT_PORTS, prepare
from service.settings import PORTS
from ssi.errors import Refused
from wallet.issuer.conformance.desks import _PATHS

PATHS = [path for path, _, _ in _PATHS]
BIN = Path(sys.executable).parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("port", PORTS.values())
def test_a_port_where_people_are_served_is_refused(port: int) -> None:
    with pytest.raises(Refused, match="another --port") as caught:
        prepare("issuer", {"port": str(port)}, {})
    assert caught.value.code == "settings.port"


def test_the_ports_that_the_environment_gives_roles_are_refused_too() -> None:
    with pytest.raises(Refused, match="another --port"):
        prepare("verifier", {"port": "9000"}, {"FACET_ISSUER_PORT": "9000"})


def test_of_the_roles_own_environment_nothing_is_left() -> None:
    environ = {"FACET_ISSUER_HOST": "0.0.0.0", "FACET_ISSUER_BASE_URL": "https://desk.test", "OTHER": "kept"}
    settings = prepare("issuer", {"port": "9000", "host": "127.0.0.1", "plain_http": False}, environ)
    assert (settings.host, settings.base_url, settings.workers) == ("127.0.0.1", "https://localhost:9000", 1)
    assert "FACET_ISSUER_BASE_URL" not in environ
    assert environ["OTHER"] == "kept"


def test_plain_http_is_for_loopback_only() -> None:
    assert prepare("verifier", {"port": "9000", "plain_http": True}, {}).base_url == "http://localhost:9000"
    with pytest.raises(Refused, match="loopback"):
        prepare("verifier", {"port": "9000", "host": "0.0.0.0", "plain_http": True}, {})


def test_the_usual_ports_are_nobodys() -> None:
    assert not set(DEFAULT_PORTS.values()) & set(PORTS.values())


@pytest.mark.parametrize("role", ["issuer", "verifier"])
def test_a_service_says_what_it_signs_with_and_ends_when_told(tmp_path: Path, role: str) -> None:
    command = [str(BIN / f"facet-{role}"), "conformance", "--plain-http", "--port", str(free_port())]
    process = subprocess.Popen(
        [*command, "--data", str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=60)
    told = json.loads(line)
    assert (process.returncode, told["ready"], told["role"]) == (0, True, role), log
    if role == "issuer":
        assert all(did.startswith("did:key:z") for did in told["issuers"].values())


@pytest.mark.parametrize("role", ["issuer", "verifier"])
def test_a_production_port_ends_the_start_with_a_sentence(role: str) -> None:
    command = [str(BIN / f"facet-{role}"), "conformance", "--port", str(PORTS[role])]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert "another --port" in ended.stderr


def test_the_script_that_runs_the_suites_knows_every_desk() -> None:
    assert [path for path, _, _ in suites.ISSUERS] == PATHS
    place = suites.Place(
        Path(), {"issuer": "https://i.test", "verifier": "https://v.test"}, dict.fromkeys(PATHS, "did")
    )
    ours, holder = suites.configuration(place)["implementations"]
    assert {endpoint["endpoint"] for endpoint in ours["issuers"]} == {
        f"https://i.test/{path}/credentials/issue" for path in PATHS
    }
    assert [one["endpoint"] for one in holder["vcHolders"]] == ["https://i.test/credentials/derive"]


def test_without_suites_the_script_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert suites.main([str(tmp_path)]) == 2
    assert "no suite with its packages" in capsys.readouterr().err
