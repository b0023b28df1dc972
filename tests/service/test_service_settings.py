"""Are settings read as written, and unsafe or unreadable ones refused with the name of the flag?"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.settings import COMMON, Option, Source, is_loopback, read
from ssi.errors import Malformed, Refused, SsiError


def test_defaults_follow_the_role_and_the_data_directory(tmp_path: Path) -> None:
    wallet = read("wallet", {"FACET_WALLET_DATA": str(tmp_path)})
    assert (wallet.host, wallet.port, wallet.base_url) == ("127.0.0.1", 8442, "https://localhost:8442")
    assert wallet.tls_cert == tmp_path / "wallet" / "tls.pem"
    assert wallet.database_url == f"sqlite:///{tmp_path}/wallet/wallet.db"
    assert wallet.folder == tmp_path / "wallet"
    assert wallet.ca_file is None
    (tmp_path / "trust").mkdir()
    (tmp_path / "trust" / "tls-ca.pem").write_text("x")
    assert read("wallet", {"FACET_WALLET_DATA": str(tmp_path)}).ca_file == tmp_path / "trust" / "tls-ca.pem"


def test_variables_of_other_roles_do_not_matter() -> None:
    assert read("issuer", {"FACET_WALLET_PORT": "1"}).port == 8441


def test_cookies_of_roles_on_one_host_do_not_meet() -> None:
    names = {read(role, {}).cookie() for role in ("issuer", "wallet", "verifier")}
    assert names == {"__Host-facet-issuer", "__Host-facet-wallet", "__Host-facet-verifier"}
    plain = {"FACET_WALLET_PLAIN_HTTP": "true", "FACET_WALLET_BASE_URL": "http://localhost:8442"}
    assert read("wallet", plain).cookie("vault") == "facet-wallet-vault"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"),
        ("PORT", "70000"),
        ("PORT", "x"),
        ("PORT", "٣"),
        ("WORKERS", "0"),
        ("PLAIN_HTTP", "perhaps"),
        ("BASE_URL", "ftp://x"),
        ("BASE_URL", "https://"),
        ("BASE_URL", "https://u:p@host"),
        ("BASE_URL", "https://host/?q"),
        ("BASE_URL", "https://host:99999"),
        ("BASE_URL", "http://shop.example"),
        ("BASE_URL", "https://a b"),
    ],
)
def test_unreadable_values_name_their_flag(name: str, value: str) -> None:
    with pytest.raises(Malformed) as caught:
        read("verifier", {f"FACET_VERIFIER_{name}": value})
    assert caught.value.code == f"settings.{name.lower()}"
    assert f"--{name.lower().replace('_', '-')}" in caught.value.detail


def test_plain_http_is_for_loopback_only() -> None:
    with pytest.raises(Refused, match=r"settings\.plain_http"):
        read("issuer", {"FACET_ISSUER_PLAIN_HTTP": "1", "FACET_ISSUER_HOST": "0.0.0.0"})
    settings = read("issuer", {"FACET_ISSUER_PLAIN_HTTP": "1", "FACET_ISSUER_BASE_URL": "https://desk.example/"})
    assert settings.secure
    assert settings.origin == "https://desk.example"
    assert settings.base_url == "https://desk.example"
    for written, origin in (
        ("https://Desk.example:443/x", "https://desk.example"),
        ("https://desk.example:8443", "https://desk.example:8443"),
        ("http://localhost:80", "http://localhost"),
        ("http://localhost:443", "http://localhost:443"),
    ):
        assert read("issuer", {"FACET_ISSUER_BASE_URL": written}).origin == origin


def test_an_option_without_any_value_is_missing() -> None:
    source = Source("issuer", {}, (Option("peer", "A peer."),))
    with pytest.raises(Malformed, match="--peer"):
        source.text("peer")
    assert not source.given("peer")


def test_loopback_is_known_by_address_or_name() -> None:
    assert all(is_loopback(host) for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost"))
    assert not any(is_loopback(host) for host in ("0.0.0.0", "::", "10.0.0.1", "example.org"))


@given(st.dictionaries(st.sampled_from([option.variable("verifier") for option in COMMON]), st.text(max_size=40)))
def test_any_environment_is_read_or_refused(values: dict[str, str]) -> None:
    code = "settings."
    try:
        read("verifier", values)
    except SsiError as error:
        code = error.code
    assert code.startswith("settings.")


def test_the_profile_is_one_word_of_two() -> None:
    assert read("issuer", {}).haip is False
    assert read("wallet", {"FACET_WALLET_PROFILE": "haip"}).haip is True
    with pytest.raises(Malformed, match=r"settings\.profile"):
        read("verifier", {"FACET_VERIFIER_PROFILE": "haip-ish"})
