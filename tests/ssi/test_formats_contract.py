"""What every credential format promises, whichever it is: tests over the one table of formats and its samples."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi import formats
from ssi.errors import Refused, SsiError, Unavailable, Unsupported
from ssi.keys import ALGORITHMS, SoftwareSigner
from ssi.model import Check, ClaimPath, Credential, Disclosure, Finding, Opened, Outcome, Presentation
from tests.ssi.drafts import CHALLENGE, HOLDER, SAMPLES, STRANGER, Resolver, Sample, at
from tests.support import NOW

every_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.id)
every_hiding = pytest.mark.parametrize("sample", [one for one in SAMPLES if one.hides], ids=lambda sample: sample.id)
every_open = pytest.mark.parametrize("sample", [one for one in SAMPLES if not one.hides], ids=lambda sample: sample.id)


def found(opened: Opened, check: Check) -> Finding:
    """The one finding on a question."""
    (finding,) = (finding for finding in opened.findings if finding.check is check)
    return finding


def test_every_format_has_a_sample() -> None:
    assert {one.format.ID for one in SAMPLES} == {known.ID for known in formats.every()}


def test_formats_are_found_by_their_own_names_only() -> None:
    assert [formats.by_id(known.ID) for known in formats.every()] == list(formats.every())
    assert len({known.ID for known in formats.every()}) == len(formats.every())
    for name in ("", "DC+SD-JWT", "VC+JWT", "unheard_of"):
        with pytest.raises(Unsupported) as refusal:
            formats.by_id(name)
        assert refusal.value.code == "format.unknown"


@every_sample
def test_wire_values_carry_their_format(sample: Sample) -> None:
    assert sample.issued().format == sample.shown().format == sample.format.ID


@every_sample
def test_the_holder_gets_all_that_was_drafted(sample: Sample) -> None:
    opened = sample.format.check(sample.issued(), keys=sample.keys, now=NOW)
    subject = sample.subject(opened)
    assert {name: subject[name] for name in sample.draft.claims} == sample.draft.claims
    assert (opened.format, opened.type) == (sample.format.ID, sample.draft.type)
    assert (opened.holder, opened.hidden) == (HOLDER.public, 0)
    assert set(opened.disclosed) == {(*sample.root, *path) for path in sample.draft.disclosable}
    assert not [finding for finding in opened.findings if finding.outcome is Outcome.FAIL]
    assert sample.format.meets({}, opened)


@every_sample
def test_a_presentation_answers_the_four_questions_of_its_format(sample: Sample) -> None:
    opened = sample.opened(sample.shown(sample.shows))
    assert {finding.check: finding.outcome for finding in opened.findings} == dict.fromkeys(
        (Check.FORMAT, Check.SIGNATURE, Check.HOLDER_BINDING, Check.VALIDITY), Outcome.PASS
    )
    assert at(sample.subject(opened), sample.shows) == at(sample.draft.claims, sample.shows)
    assert opened.holder == HOLDER.public


@every_hiding
def test_only_what_was_chosen_is_shown(sample: Sample) -> None:
    shown = sample.subject(sample.opened(sample.shown(sample.shows)))
    for path in sample.draft.disclosable:
        assert _has(shown, path) == (path == sample.shows)


@pytest.mark.parametrize("sample", [one for one in SAMPLES if one.hides and one.nested], ids=lambda sample: sample.id)
def test_a_nested_claim_brings_its_parents_and_not_its_siblings(sample: Sample) -> None:
    assert sample.nested is not None
    *parents, name = sample.nested
    shown = sample.subject(sample.opened(sample.shown(sample.nested)))
    assert at(shown, tuple(parents)) == {name: at(sample.draft.claims, sample.nested)}


@every_hiding
def test_hidden_claims_are_nowhere_on_the_wire(sample: Sample) -> None:
    shown = at(sample.draft.claims, sample.shows)
    parts = sample.plain(sample.shown(sample.shows).wire)
    assert str(shown).encode() in parts
    assert [secret for secret in sample.secrets if secret in parts] == []
    assert [secret for secret in sample.secrets if secret not in sample.plain(sample.issued().wire)] == []


@every_open
def test_what_cannot_be_hidden_is_not_promised_to_be(sample: Sample) -> None:
    with pytest.raises(Unsupported) as refusal:
        sample.format.issue(
            replace(sample.draft, disclosable=(sample.shows,)), signer=sample.issuer, holder=HOLDER.public, now=NOW
        )
    assert refusal.value.code.endswith(".cannot_hide")
    opened = sample.opened(sample.shown(sample.shows))
    subject = sample.subject(opened)
    assert {name: subject[name] for name in sample.draft.claims} == sample.draft.claims
    assert (opened.disclosed, opened.hidden) == ((), 0)


@every_sample
def test_nobody_can_show_what_is_not_there(sample: Sample) -> None:
    with pytest.raises(Refused):
        sample.shown(_missing(sample.shows))


@every_sample
@pytest.mark.parametrize("change", [{"nonce": "other"}, {"audience": "https://else.test"}])
def test_a_presentation_is_for_one_request_of_one_asker(sample: Sample, change: dict[str, str]) -> None:
    other = replace(CHALLENGE, **change)
    opened = sample.opened(sample.shown(), challenge=other)
    assert found(opened, Check.HOLDER_BINDING).outcome is Outcome.FAIL


@every_sample
@pytest.mark.parametrize("change", [{"nonce": ""}, {"audience": ""}])
def test_a_challenge_that_binds_to_nothing_is_no_challenge(sample: Sample, change: dict[str, str]) -> None:
    empty = replace(CHALLENGE, **change)
    with pytest.raises(Refused):
        sample.shown(challenge=empty)
    with pytest.raises(Refused):
        sample.opened(sample.shown(), challenge=empty)


@every_sample
def test_nobody_else_presents(sample: Sample) -> None:
    with pytest.raises(Refused):
        sample.format.derive(sample.issued(), disclose=Disclosure(()), challenge=CHALLENGE, holder=STRANGER, now=NOW)


@every_sample
def test_what_was_issued_is_not_a_presentation_and_the_reverse(sample: Sample) -> None:
    opened = sample.opened(Presentation(sample.format.ID, sample.issued().wire))
    assert found(opened, Check.HOLDER_BINDING).outcome is Outcome.FAIL
    with pytest.raises(SsiError):
        sample.format.check(Credential(sample.format.ID, sample.shown().wire), keys=sample.keys, now=NOW)


@every_sample
def test_an_unknown_key_is_no_and_an_unreachable_one_is_neither(sample: Sample) -> None:
    for keys, outcome in (
        (Resolver(issuer=SoftwareSigner.generate("ES256").public), Outcome.FAIL),
        (Resolver(trouble=Refused("issuer.no_key", "No such key.")), Outcome.FAIL),
        (Resolver(trouble=Unavailable("fetch.timeout", "No answer.")), Outcome.UNKNOWN),
    ):
        opened = sample.opened(sample.shown(), keys=keys)
        assert found(opened, Check.SIGNATURE).outcome is outcome
        assert found(opened, Check.HOLDER_BINDING).outcome is not Outcome.PASS or opened.holder == HOLDER.public


@pytest.mark.parametrize(
    ("sample", "alg"),
    [pytest.param(sample, alg, id=f"{sample.id}-{alg}") for sample in SAMPLES for alg in sample.algorithms],
)
def test_every_algorithm_of_the_format_serves_issuer_and_holder(sample: Sample, alg: str) -> None:
    issuer = sample.make_signer(alg)
    holder = SoftwareSigner.generate(alg if alg in ALGORITHMS else "EdDSA")
    draft = replace(sample.drafted(issuer), disclosable=())
    card = sample.format.issue(draft, signer=issuer, holder=holder.public, now=NOW)
    disclose = Disclosure(((*sample.root, *sample.shows),))
    presentation = sample.format.derive(card, disclose=disclose, challenge=CHALLENGE, holder=holder, now=NOW)
    opened = sample.opened(presentation, keys=Resolver(issuer.public))
    assert {finding.outcome for finding in opened.findings} == {Outcome.PASS}


@every_sample
def test_what_is_over_has_failed(sample: Sample) -> None:
    draft = replace(sample.draft, valid_until=sample.draft.valid_until or NOW)
    card = sample.format.issue(draft, signer=sample.issuer, holder=HOLDER.public, now=NOW)
    assert draft.valid_until is not None
    late = sample.format.check(card, keys=sample.keys, now=draft.valid_until.replace(year=draft.valid_until.year + 1))
    assert found(late, Check.VALIDITY).outcome is Outcome.FAIL


@every_sample
def test_findings_hold_no_claim_values(sample: Sample) -> None:
    opened = sample.opened(sample.shown(sample.shows))
    assert str(at(sample.draft.claims, sample.shows)) not in repr(opened.findings)


@every_sample
@given(wire=st.text(max_size=80) | st.binary(max_size=60).map(bytes.hex))
def test_readers_raise_only_ssi_error(sample: Sample, wire: str) -> None:
    _read_all(sample, wire)


@every_sample
@given(data=st.data())
def test_damaged_wires_raise_only_ssi_error(sample: Sample, data: st.DataObject) -> None:
    wire = data.draw(st.sampled_from([sample.issued().wire, sample.shown(sample.shows).wire]))
    start = data.draw(st.integers(0, 8191)) % (len(wire) + 1)  # base58 is not always of one length
    _read_all(sample, wire[:start] + data.draw(st.text(max_size=5)) + wire[start + data.draw(st.integers(0, 8)) :])


def _read_all(sample: Sample, wire: str) -> None:
    known = sample.format
    for attempt in (
        lambda: known.check(Credential(known.ID, wire), keys=sample.keys, now=NOW),
        lambda: known.open(Presentation(known.ID, wire), challenge=CHALLENGE, keys=sample.keys, now=NOW),
        lambda: known.derive(
            Credential(known.ID, wire), disclose=Disclosure(()), challenge=CHALLENGE, holder=HOLDER, now=NOW
        ),
    ):
        try:
            attempt()
        except SsiError:
            continue


def _has(claims: Any, path: ClaimPath) -> bool:
    for part in path:
        if not isinstance(claims, dict) or part not in claims:
            return False
        claims = claims[part]
    return True


def _missing(path: ClaimPath) -> ClaimPath:
    return (*path[:-1], "no_such_claim")
