"""RFC 9901's examples and SD-JWT VC's: theirs read by ours, and ours read by the reference implementation."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jwcrypto.jwk import JWK
from sd_jwt.common import SDObj
from sd_jwt.utils.yaml_specification import load_yaml_specification
from sd_jwt.verifier import SDJWTVerifier

from ssi import jose
from ssi.formats import keybinding, registered, sdjwt
from ssi.formats.disclosures import hash_named
from ssi.formats.opening import unpack
from ssi.keys import PublicKey
from ssi.model import Challenge, ClaimPath, Disclosure, Draft, Issuer, Outcome
from tests.conftest import VECTORS
from tests.ssi.sdjwts import CHALLENGE, HOLDER, ISSUER, KEYS, TYPE, opened
from tests.support import NOW

GENERATED = VECTORS / "sd-jwt-generated"
SPECIFICATIONS = (VECTORS / "sd-jwt-testcases", VECTORS / "sd-jwt-vc-examples")
ABSENT = pytest.param(None, marks=pytest.mark.skip("no specification vectors (FACET_VECTORS)"))


def folders() -> list[Any]:
    """Every generated example."""
    every = sorted(path.parent for path in GENERATED.rglob("specification.yml"))
    return [pytest.param(path, id=f"{path.parent.name}-{path.name}") for path in every] or [ABSENT]


def specifications() -> list[Any]:
    """Every description of an example."""
    every = sorted(path for root in SPECIFICATIONS for path in root.rglob("specification.yml"))
    return [pytest.param(path, id="-".join(path.parts[-4:-1])) for path in every] or [ABSENT]


def settings(folder: Path) -> dict[str, Any]:
    """Keys and identifiers of an example: its group's, then its own."""
    found_: dict[str, Any] = yaml.safe_load((folder.parent / "settings.yml").read_text())
    own = load_yaml_specification(folder / "specification.yml").get("settings_override", {})
    return {**found_, **own}


def public(jwk: dict[str, Any]) -> PublicKey:
    """A public key from a private JWK of the settings."""
    return PublicKey.from_jwk({name: jwk[name] for name in ("kty", "crv", "x", "y")})


def wire(folder: Path, name: str) -> str:
    """An SD-JWT of an example, lines unfolded; JSON serialization is turned into the compact one (RFC 9901 §8.1)."""
    text_file = folder / f"{name}.txt"
    if text_file.exists():
        return re.sub(r"\s", "", text_file.read_text())
    members = content(folder, f"{name}.json")
    first = members["signatures"][0] if "signatures" in members else members
    token = ".".join((first["protected"], members["payload"], first["signature"]))
    return "~".join((token, *first["header"].get("disclosures", ()), first["header"].get("kb_jwt", "")))


def content(folder: Path, name: str) -> Any:
    """A JSON file of an example, whose long strings are folded."""
    return json.loads(re.sub(r"\n\s*", "", (folder / name).read_text()))


@pytest.mark.parametrize("folder", folders())
def test_their_credentials_and_presentations_open(folder: Path) -> None:
    keys = settings(folder)["key_settings"]
    for name, expected in (("sd_jwt_issuance", "user_claims.json"), ("sd_jwt_presentation", "verified_contents.json")):
        token, *texts = wire(folder, name).split("~")
        parsed = jose.parse(token, typ=None)
        jose.verify(parsed, public(keys["issuer_keys"][0]))
        unpacked = unpack(parsed.claims, [text.encode() for text in texts[:-1]])
        claims, wanted = unpacked.claims, content(folder, expected)
        if expected == "user_claims.json":
            claims = {claim: claims[claim] for claim in wanted}
            assert unpacked.hidden == 0 or load_yaml_specification(folder / "specification.yml").get("add_decoy_claims")
        assert claims == wanted


@pytest.mark.parametrize("folder", folders())
def test_their_key_bindings_hold_and_only_for_their_challenge(folder: Path) -> None:
    text = wire(folder, "sd_jwt_presentation")
    at = text.rindex("~") + 1
    specified = settings(folder)
    payload = jose.parse(text.split("~", maxsplit=1)[0], typ=None).claims
    if at == len(text):
        assert not (folder / "kb_jwt_payload.json").exists()
        return
    nonce, asker = specified["key_binding_nonce"], specified["identifiers"]["verifier"]
    written = content(folder, "kb_jwt_payload.json")
    now = keybinding.datetime.fromtimestamp(written["iat"], tz=NOW.tzinfo)
    proof = keybinding.read(text[at:].encode(), cnf=payload["cnf"], keys=KEYS, now=now)
    assert proof.key == public(specified["key_settings"]["holder_key"])
    rest = {"sd_jwt": text[:at].encode(), "hash_new": hash_named(payload["_sd_alg"]), "now": now}
    assert keybinding.judge(proof, challenge=Challenge(nonce, asker), **rest).outcome is Outcome.PASS
    for challenge in (Challenge("other", asker), Challenge(nonce, "other")):
        assert keybinding.judge(proof, challenge=challenge, **rest).outcome is Outcome.FAIL


@pytest.mark.parametrize("folder", folders())
def test_their_credentials_are_not_ours_because_of_their_typ(folder: Path) -> None:
    with pytest.raises(keybinding.SsiError) as refusal:
        opened(wire(folder, "sd_jwt_presentation"))
    assert refusal.value.code == "jose.typ"


# --- ours, read by the reference implementation -----------------------------------------------------------------------


def plain(value: Any) -> Any:
    """Specified claims without their marks."""
    if isinstance(value, SDObj):
        return plain(value.value)
    if isinstance(value, dict):
        return {plain(name): plain(below) for name, below in value.items()}
    return [plain(below) for below in value] if isinstance(value, list) else value


def marked(value: Any, at: ClaimPath = ()) -> Iterator[ClaimPath]:
    """The paths that the marks of specified claims make disclosable."""
    if isinstance(value, SDObj):
        value = value.value
    steps: Any = ()
    if isinstance(value, dict):
        steps = [(plain(name), isinstance(name, SDObj), below) for name, below in value.items()]
    elif isinstance(value, list):
        steps = [(index, isinstance(below, SDObj), below) for index, below in enumerate(value)]
    for step, hidden, below in steps:
        if hidden:
            yield (*at, step)
        yield from marked(below, (*at, step))


def as_seen_by_reference(presentation: str) -> dict[str, Any]:
    """What PyPI `sd-jwt` makes of a presentation with key binding."""
    key = JWK.from_pyca(ISSUER.public.native)
    verifier = SDJWTVerifier(presentation, lambda *_: key, CHALLENGE.audience, CHALLENGE.nonce)
    seen: dict[str, Any] = verifier.get_verified_payload()
    return seen


@pytest.mark.parametrize("specification", specifications())
def test_the_reference_implementation_sees_what_ours_shows(specification: Path) -> None:
    specified = load_yaml_specification(specification)
    claims = specified["user_claims"]
    claims = {name: value for name, value in claims.items() if plain(name) not in registered.WRITTEN_BY_FORMAT}
    paths = tuple(marked(claims))
    draft = Draft(TYPE, Issuer("https://issuer.test"), plain(claims), paths, decoys=1)
    card = sdjwt.issue(draft, signer=ISSUER, holder=HOLDER.public, now=NOW)
    assert {name: sdjwt.check(card, keys=KEYS, now=NOW).claims[name] for name in plain(claims)} == plain(claims)
    for chosen in ((), *((path,) for path in paths), paths):
        shown = sdjwt.derive(card, disclose=Disclosure(chosen), challenge=CHALLENGE, holder=HOLDER, now=NOW)
        ours = opened(shown)
        assert {finding.outcome for finding in ours.findings} == {Outcome.PASS}
        assert as_seen_by_reference(shown.wire) == ours.claims
        if chosen == paths:
            assert {name: ours.claims[name] for name in plain(claims)} == plain(claims)


@pytest.mark.parametrize("specification", specifications())
def test_specified_presentations_show_what_is_specified(specification: Path) -> None:
    specified = load_yaml_specification(specification)
    if "expect_verified_user_claims" not in specified:
        return
    claims = specified["user_claims"]
    draft = Draft(TYPE, Issuer("https://issuer.test"), plain(claims), tuple(marked(claims)))
    card = sdjwt.issue(draft, signer=ISSUER, holder=HOLDER.public, now=NOW)
    wanted = [path for path in marked(claims) if _chosen(specified["holder_disclosed_claims"], path)]
    shown = opened(sdjwt.derive(card, disclose=Disclosure(tuple(wanted)), challenge=CHALLENGE, holder=HOLDER, now=NOW))
    expected = specified["expect_verified_user_claims"]
    assert {name: value for name, value in shown.claims.items() if name in plain(claims)} == expected


def _chosen(choice: Any, path: ClaimPath) -> bool:
    """Is the path one that the specified choice reveals? True stands for a whole claim; the rest chooses inside it."""
    for step in path:
        if choice is True:
            return True
        try:
            choice = choice[step]
        except (KeyError, IndexError, TypeError):
            return False
    return bool(choice) and not isinstance(choice, dict | list)


def test_every_specified_example_was_met() -> None:
    if not GENERATED.is_dir():
        pytest.skip("no specification vectors (FACET_VECTORS)")
    assert len(folders()) == 32
    assert len(specifications()) >= 34
