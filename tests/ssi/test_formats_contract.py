"""What every credential format promises, whichever it is: the tests go over the one table of formats."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi import formats
from ssi.errors import Refused, SsiError, Unavailable, Unsupported
from ssi.keys import ALGORITHMS, SoftwareSigner
from ssi.model import Challenge, Check, Credential, Disclosure, Draft, Format, Issuer, Outcome, Presentation
from tests.ssi.sdjwts import CHALLENGE, HOLDER, ISSUER, KEYS, STRANGER, Keys, found
from tests.support import NOW

CLAIMS: dict[str, Any] = {"given_name": "Erika", "age_over_18": True, "document": {"type": "P", "number": "C01X00T478"}}
DRAFT = Draft(
    "urn:example:person:1",
    Issuer("https://issuer.test"),
    CLAIMS,
    (("given_name",), ("age_over_18",), ("document",), ("document", "number")),
)
every_format = pytest.mark.parametrize("known", formats.every(), ids=lambda known: known.ID)


def made(known: Format) -> Credential:
    return known.issue(DRAFT, signer=ISSUER, holder=HOLDER.public, now=NOW)


def shown(known: Format, *paths: tuple[str, ...], challenge: Challenge = CHALLENGE) -> Presentation:
    return known.derive(made(known), disclose=Disclosure(paths), challenge=challenge, holder=HOLDER, now=NOW)


def test_formats_are_found_by_their_own_names_only() -> None:
    assert [formats.by_id(known.ID) for known in formats.every()] == list(formats.every())
    assert len({known.ID for known in formats.every()}) == len(formats.every())
    for name in ("", "DC+SD-JWT", "vc+sd-jwt", "unheard_of"):
        with pytest.raises(Unsupported) as refusal:
            formats.by_id(name)
        assert refusal.value.code == "format.unknown"


@every_format
def test_wire_values_carry_their_format(known: Format) -> None:
    assert made(known).format == shown(known).format == known.ID


@every_format
def test_the_holder_gets_all_that_was_drafted(known: Format) -> None:
    opened = known.check(made(known), keys=KEYS, now=NOW)
    assert {name: opened.claims[name] for name in CLAIMS} == CLAIMS
    assert (opened.type, opened.holder, opened.hidden) == (DRAFT.type, HOLDER.public, 0)
    assert set(opened.disclosed) == set(DRAFT.disclosable)
    assert not [finding for finding in opened.findings if finding.outcome is Outcome.FAIL]


@every_format
def test_a_presentation_answers_the_four_questions_of_its_format(known: Format) -> None:
    opened = known.open(shown(known, ("given_name",)), challenge=CHALLENGE, keys=KEYS, now=NOW)
    assert {finding.check: finding.outcome for finding in opened.findings} == dict.fromkeys(
        (Check.FORMAT, Check.SIGNATURE, Check.HOLDER_BINDING, Check.VALIDITY), Outcome.PASS
    )
    assert opened.claims["given_name"] == "Erika"
    assert "age_over_18" not in opened.claims
    assert "document" not in opened.claims


@every_format
def test_a_nested_claim_brings_its_parents_and_not_its_siblings(known: Format) -> None:
    opened = known.open(shown(known, ("document", "type")), challenge=CHALLENGE, keys=KEYS, now=NOW)
    assert opened.claims["document"] == {"type": "P"}


@every_format
def test_hidden_claims_are_nowhere_on_the_wire(known: Format) -> None:
    wire = shown(known, ("document", "type")).wire
    parts = b" ".join(base64.urlsafe_b64decode(part + "==") for part in re.split(r"[.~]", wire))
    assert b'"type"' in parts
    for hidden in (b"Erika", b"C01X00T478", b"given_name", b"age_over_18"):
        assert hidden not in parts


@every_format
@pytest.mark.parametrize("change", [{"nonce": "other"}, {"audience": "https://else.test"}])
def test_a_presentation_is_for_one_request_of_one_asker(known: Format, change: dict[str, str]) -> None:
    other = Challenge(**{"nonce": CHALLENGE.nonce, "audience": CHALLENGE.audience, **change})
    opened = known.open(shown(known), challenge=other, keys=KEYS, now=NOW)
    assert found(opened, Check.HOLDER_BINDING).outcome is Outcome.FAIL


@every_format
def test_nobody_else_presents(known: Format) -> None:
    with pytest.raises(Refused):
        known.derive(made(known), disclose=Disclosure(()), challenge=CHALLENGE, holder=STRANGER, now=NOW)


@every_format
def test_what_was_issued_is_not_a_presentation_and_the_reverse(known: Format) -> None:
    opened = known.open(Presentation(known.ID, made(known).wire), challenge=CHALLENGE, keys=KEYS, now=NOW)
    assert found(opened, Check.HOLDER_BINDING).outcome is Outcome.FAIL
    with pytest.raises(SsiError):
        known.check(Credential(known.ID, shown(known).wire), keys=KEYS, now=NOW)


@every_format
def test_an_unknown_key_is_no_and_an_unreachable_one_is_neither(known: Format) -> None:
    for keys, outcome in (
        (Keys(issuer=STRANGER.public), Outcome.FAIL),
        (Keys(trouble=Refused("issuer.no_key", "No such key.")), Outcome.FAIL),
        (Keys(trouble=Unavailable("fetch.timeout", "No answer.")), Outcome.UNKNOWN),
    ):
        opened = known.open(shown(known), challenge=CHALLENGE, keys=keys, now=NOW)
        assert found(opened, Check.SIGNATURE).outcome is outcome


@every_format
@pytest.mark.parametrize("alg", list(ALGORITHMS))
def test_every_algorithm_of_the_house_serves_issuer_and_holder(known: Format, alg: str) -> None:
    issuer, holder = SoftwareSigner.generate(alg), SoftwareSigner.generate(alg)
    card = known.issue(DRAFT, signer=issuer, holder=holder.public, now=NOW)
    presentation = known.derive(
        card, disclose=Disclosure((("given_name",),)), challenge=CHALLENGE, holder=holder, now=NOW
    )
    opened = known.open(presentation, challenge=CHALLENGE, keys=Keys(issuer=issuer.public), now=NOW)
    assert {finding.outcome for finding in opened.findings} == {Outcome.PASS}


@every_format
def test_findings_hold_no_claim_values(known: Format) -> None:
    opened = known.open(shown(known, ("given_name",)), challenge=CHALLENGE, keys=KEYS, now=NOW)
    assert "Erika" not in repr(opened.findings)


@every_format
@given(wire=st.text(max_size=80) | st.binary(max_size=60).map(bytes.hex))
def test_readers_raise_only_ssi_error(known: Format, wire: str) -> None:
    for attempt in (
        lambda: known.check(Credential(known.ID, wire), keys=KEYS, now=NOW),
        lambda: known.open(Presentation(known.ID, wire), challenge=CHALLENGE, keys=KEYS, now=NOW),
        lambda: known.derive(
            Credential(known.ID, wire), disclose=Disclosure(()), challenge=CHALLENGE, holder=HOLDER, now=NOW
        ),
    ):
        try:
            attempt()
        except SsiError:
            continue
