"""The traps that other SD-JWT libraries fell into, each by name."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from ssi import jose
from ssi.encoding import seconds
from ssi.errors import Malformed, Refused, SsiError, Unavailable, Unsupported
from ssi.formats import sdjwt
from ssi.keys import PublicKey, SoftwareSigner
from ssi.model import Challenge, Check, Credential, Outcome
from tests.ssi.sdjwts import (
    CHALLENGE,
    HOLDER,
    ISSUER,
    KEYS,
    KID,
    STRANGER,
    Keys,
    bound,
    digest_of,
    disclosure,
    found,
    issued,
    opened,
    payload,
    presented,
    token,
)
from tests.support import NOW

CARD = issued({"given_name": "Erika", "age_over_18": True}, (("given_name",), ("age_over_18",)))


def binding(presentation: str, **changes: Any) -> tuple[Outcome, str]:
    finding = found(opened(presentation, **changes), Check.HOLDER_BINDING)
    return finding.outcome, finding.code


def validity(claims: dict[str, Any], **changes: Any) -> tuple[Outcome, str]:
    finding = found(opened(bound(token(payload(**claims))), **changes), Check.VALIDITY)
    return finding.outcome, finding.code


def refused(presentation: str) -> str:
    with pytest.raises((Malformed, Unsupported)) as refusal:
        opened(presentation)
    return refusal.value.code


# --- times ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offset", "outcome", "code"),
    [
        (0, Outcome.FAIL, "sdjwt.expired"),
        (-1, Outcome.FAIL, "sdjwt.expired"),
        (1, Outcome.PASS, "sdjwt.in_force"),
    ],
)
def test_exp_is_checked_without_leeway(offset: int, outcome: Outcome, code: str) -> None:
    assert validity({"exp": seconds(NOW) + offset}) == (outcome, code)


@pytest.mark.parametrize(
    ("offset", "outcome"), [(-5, Outcome.PASS), (60, Outcome.PASS), (61, Outcome.FAIL), (10**6, Outcome.FAIL)]
)
def test_nbf_is_checked_with_a_minute_of_leeway(offset: int, outcome: Outcome) -> None:
    assert validity({"nbf": seconds(NOW) + offset})[0] is outcome


def test_a_credential_from_the_future_is_not_in_force() -> None:
    assert validity({"iat": seconds(NOW) + 61}) == (Outcome.FAIL, "sdjwt.issued_in_future")
    assert validity({"iat": seconds(NOW) + 59})[0] is Outcome.PASS


def test_a_disclosed_iat_is_checked_as_well() -> None:
    text = disclosure("salt", "iat", seconds(NOW) + 1000)
    presentation = bound(token(payload(_sd=[digest_of(text)]), text))
    assert found(opened(presentation), Check.VALIDITY).code == "sdjwt.issued_in_future"


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", ["1", None, True, [], -1, 1e300])
def test_times_that_are_no_times_are_refused(name: str, value: Any) -> None:
    assert refused(bound(token(payload(**{name: value})))) == "encoding.numeric_date"


def test_aud_in_the_credential_must_name_the_asker() -> None:
    assert validity({"aud": "https://else.test"}) == (Outcome.FAIL, "sdjwt.audience")
    assert validity({"aud": []}) == (Outcome.FAIL, "sdjwt.audience")
    assert validity({"aud": ["x", CHALLENGE.audience]})[0] is Outcome.PASS


# --- disclosures (the mechanics are in test_disclosures) --------------------------------------------------------------


def test_unreferenced_disclosures_are_rejected() -> None:
    assert refused(bound(token(payload(), disclosure("s", "a", 1)))) == "sdjwt.disclosure_unreferenced"


@pytest.mark.parametrize("name", ["_sd", "..."])
def test_disclosure_names_sd_and_dots_are_rejected(name: str) -> None:
    text = disclosure("s", name, ["x"])
    assert refused(bound(token(payload(_sd=[digest_of(text)]), text))) == "sdjwt.reserved_name"


def test_the_same_digest_twice_is_rejected_in_arrays_and_across_levels() -> None:
    text = disclosure("s", 1)
    element = {"...": digest_of(text)}
    assert refused(bound(token(payload(a=[element, element]), text))) == "sdjwt.digest_repeated"
    member = disclosure("s", "a", 1)
    twice = payload(_sd=[digest_of(member)], o={"_sd": [digest_of(member)]})
    assert refused(bound(token(twice, member))) == "sdjwt.digest_repeated"


def test_a_claim_name_that_is_already_there_is_rejected() -> None:
    text = disclosure("s", "sub", "mallory")
    assert refused(bound(token(payload(sub="erika", _sd=[digest_of(text)]), text))) == "sdjwt.name_repeated"


@pytest.mark.parametrize("contents", [("s",), ("s", "a", 1, 2), ("s", 1)])
def test_wrong_arity_is_an_ssi_error(contents: tuple[Any, ...]) -> None:
    text = disclosure(*contents)
    assert refused(bound(token(payload(_sd=[digest_of(text)]), text))) == "sdjwt.disclosure_form"


def test_deep_nesting_is_bounded() -> None:
    deep: Any = 1
    for _ in range(33):
        deep = [deep]
    assert refused(bound(token(payload(a=deep)))) in {"sdjwt.depth", "encoding.json_depth"}
    text = disclosure("s", "a", deep)
    assert refused(bound(token(payload(_sd=[digest_of(text)]), text))) == "sdjwt.depth"


@pytest.mark.parametrize("name", sorted(sdjwt.registered.NEVER_DISCLOSED))
def test_claims_that_judge_the_credential_are_never_disclosed(name: str) -> None:
    text = disclosure("s", name, ["urn:other"] if name == "aka_vcts" else "x")
    claims = payload(_sd=[digest_of(text)])
    claims.pop(name, None)
    if name == "vct":  # without it there is no credential to begin with
        assert refused(bound(token(claims, text))) == "encoding.missing"
    else:
        assert refused(bound(token(claims, text))) == "sdjwt.sealed"


def test_no_part_of_such_a_claim_is_hidden_either() -> None:
    text = disclosure("s", "jwk", STRANGER.public.jwk)
    smuggled = payload(cnf={"kid": KID, "_sd": [digest_of(text)]})
    assert refused(bound(token(smuggled, text))) == "sdjwt.sealed"
    status = {"status_list": {"uri": "https://s.test/1", "idx": 1, "_sd": [digest_of("decoy")]}}
    assert refused(bound(token(payload(status=status)))) == "sdjwt.sealed"
    types = payload(aka_vcts=["urn:b", {"...": digest_of("decoy")}])
    assert refused(bound(token(types))) == "sdjwt.aka_vcts"


# --- types ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typ", ["dc+sd-jwt", "DC+SD-JWT", "application/dc+sd-jwt"])
def test_typ_is_compared_as_media_types_are(typ: str) -> None:
    assert found(opened(bound(token(payload(), header={"typ": typ}))), Check.SIGNATURE).outcome is Outcome.PASS


@pytest.mark.parametrize("header", [{}, {"typ": "JWT"}, {"typ": "example+sd-jwt"}, {"typ": 5}, {"typ": "kb+jwt"}])
def test_typ_is_checked(header: dict[str, Any]) -> None:
    made = jose.sign(payload(), signer=ISSUER, header=header) + "~"
    assert refused(bound(made)) == "jose.typ"


@pytest.mark.parametrize("typ", ["vc+sd-jwt", "application/vc+sd-jwt", "VC+SD-JWT"])
def test_old_drafts_are_refused_by_name(typ: str) -> None:
    assert refused(bound(token(payload(), header={"typ": typ}))) == "sdjwt.old_draft"


@pytest.mark.parametrize("typ", ["JWT", "dc+sd-jwt", "", None])
def test_the_proofs_typ_is_checked(typ: Any) -> None:
    assert binding(bound(token(payload()), header={"typ": typ})) == (Outcome.FAIL, "kb.form")


def test_alg_none_and_foreign_algorithms_are_refused() -> None:
    good = presented(CARD).wire
    for header in ("eyJhbGciOiJub25lIiwidHlwIjoiZGMrc2Qtand0In0", "eyJhbGciOiJIUzI1NiIsInR5cCI6ImRjK3NkLWp3dCJ9"):
        assert refused(header + good[good.index(".") :]) == "jose.alg"


# --- key binding ------------------------------------------------------------------------------------------------------


def test_an_honest_proof_passes() -> None:
    assert binding(presented(CARD).wire) == (Outcome.PASS, "kb.valid")
    assert binding(bound(token(payload()))) == (Outcome.PASS, "kb.valid")


def test_a_stripped_proof_is_refused() -> None:
    wire = presented(CARD, ("given_name",)).wire
    assert binding(wire[: wire.rindex("~") + 1]) == (Outcome.FAIL, "kb.missing")
    assert binding(CARD.wire) == (Outcome.FAIL, "kb.missing")


def test_a_proof_without_iat_is_refused() -> None:
    assert binding(bound(token(payload()), without="iat")) == (Outcome.FAIL, "kb.form")


@pytest.mark.parametrize("iat", ["1", None, True, []])
def test_a_proof_whose_iat_is_no_time_is_refused(iat: Any) -> None:
    assert binding(bound(token(payload()), iat=iat)) == (Outcome.FAIL, "kb.form")


@pytest.mark.parametrize(
    ("offset", "code"), [(-301, "kb.old"), (-(10**8), "kb.old"), (61, "kb.future"), (10**8, "kb.future")]
)
def test_an_old_or_future_proof_is_refused(offset: int, code: str) -> None:
    assert binding(bound(token(payload()), iat=seconds(NOW) + offset)) == (Outcome.FAIL, code)


@pytest.mark.parametrize("offset", [-300, 0, 60])
def test_a_proof_inside_the_window_passes(offset: int) -> None:
    assert binding(bound(token(payload()), iat=seconds(NOW) + offset)) == (Outcome.PASS, "kb.valid")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"aud": "https://else.test"}, "kb.audience"),
        ({"aud": [CHALLENGE.audience]}, "kb.audience"),  # §4.3: a single string
        ({"without": "aud"}, "kb.audience"),
        ({"nonce": "another"}, "kb.nonce"),
        ({"nonce": 5}, "kb.nonce"),
        ({"without": "nonce"}, "kb.nonce"),
        ({"sd_hash": digest_of("another")}, "kb.sd_hash"),
        ({"without": "sd_hash"}, "kb.sd_hash"),
        ({"exp": seconds(NOW)}, "kb.expired"),
        ({"nbf": seconds(NOW) + 100}, "kb.expired"),
        ({"exp": "soon"}, "kb.form"),
        ({"signer": STRANGER}, "kb.signature"),
        ({"signer": SoftwareSigner.generate("EdDSA")}, "kb.signature"),
    ],
)
def test_a_proof_for_something_else_is_refused(changes: dict[str, Any], code: str) -> None:
    assert binding(bound(token(payload()), **changes)) == (Outcome.FAIL, code)


@pytest.mark.parametrize("proof", ["x", "a.b.c", "..", "e30.e30.", "é"])
def test_a_proof_that_cannot_be_read_is_refused(proof: str) -> None:
    wire = token(payload()) + proof
    if proof.isascii():
        assert binding(wire) == (Outcome.FAIL, "kb.form")
    else:
        assert refused(wire) == "sdjwt.form"


def test_sd_hash_covers_the_presented_string_with_its_final_tilde() -> None:
    sd_jwt = token(payload())
    assert binding(bound(sd_jwt, sd_hash=digest_of(sd_jwt)))[0] is Outcome.PASS
    assert binding(bound(sd_jwt, sd_hash=digest_of(sd_jwt.rstrip("~")))) == (Outcome.FAIL, "kb.sd_hash")


def test_disclosures_cannot_be_added_to_or_taken_from_a_proven_presentation() -> None:
    wire = presented(CARD, ("given_name",), ("age_over_18",)).wire
    parts = wire.split("~")
    assert binding("~".join((parts[0], parts[1], parts[3]))) == (Outcome.FAIL, "kb.sd_hash")
    assert binding("~".join((parts[0], parts[2], parts[1], parts[3]))) == (Outcome.FAIL, "kb.sd_hash")
    few = presented(CARD).wire.split("~")
    assert binding("~".join((few[0], parts[1], few[1]))) == (Outcome.FAIL, "kb.sd_hash")


@pytest.mark.parametrize("alg", ["ES256", "ES384", "EdDSA"])
def test_holder_keys_of_every_algorithm_work(alg: str) -> None:
    holder = SoftwareSigner.generate(alg)
    card = issued({"a": 1}, (("a",),), holder=holder.public)
    shown = opened(presented(card, ("a",), holder=holder))
    assert found(shown, Check.HOLDER_BINDING).outcome is Outcome.PASS
    assert shown.holder == holder.public


@pytest.mark.parametrize("alg", ["ES256", "ES384", "EdDSA"])
def test_issuer_keys_of_every_algorithm_work(alg: str) -> None:
    issuer = SoftwareSigner.generate(alg)
    shown = opened(presented(issued({"a": 1}, (("a",),), signer=issuer), ("a",)), keys=Keys(issuer=issuer.public))
    assert {finding.outcome for finding in shown.findings} == {Outcome.PASS}


def test_cnf_kid_is_resolved_by_the_key_resolver() -> None:
    wire = bound(token(payload(cnf={"kid": KID})))
    assert binding(wire) == (Outcome.PASS, "kb.valid")
    assert opened(wire).holder == HOLDER.public
    assert binding(wire, keys=Keys(holder=STRANGER.public)) == (Outcome.FAIL, "kb.signature")
    assert binding(bound(token(payload(cnf={"kid": "did:example:other#1"})))) == (Outcome.FAIL, "did.no_key")


def test_a_holder_key_that_cannot_be_looked_up_leaves_the_binding_open() -> None:
    trouble = Keys(trouble=Unavailable("fetch.timeout", "No answer."))
    shown = opened(bound(token(payload(cnf={"kid": KID}))), keys=trouble)
    assert found(shown, Check.HOLDER_BINDING).outcome is Outcome.UNKNOWN
    assert found(shown, Check.SIGNATURE).outcome is Outcome.UNKNOWN


def test_a_minimal_cnf_jwk_works() -> None:
    minimal = {name: HOLDER.public.jwk[name] for name in ("kty", "crv", "x", "y")}
    assert binding(bound(token(payload(cnf={"jwk": minimal}))))[0] is Outcome.PASS
    named = {**minimal, "kid": "k", "alg": "ES256", "use": "sig", "key_ops": ["verify"]}
    assert binding(bound(token(payload(cnf={"jwk": named}))))[0] is Outcome.PASS


@pytest.mark.parametrize(
    "cnf",
    [None, {}, [], "jwk", {"jwk": None}, {"jwk": {}}, {"jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}},
     {"jwk": {**HOLDER.public.jwk, "d": "AAAA"}}, {"jku": "https://keys.test"}, {"kid": 5}, {"jwk": [1]}],
)  # fmt: skip
def test_a_cnf_without_a_usable_key_is_refused(cnf: Any) -> None:
    assert binding(bound(token(payload(cnf=cnf))))[0] is Outcome.FAIL


def test_a_credential_bound_to_no_key_cannot_be_presented() -> None:
    card = issued({"a": 1}, holder=None)
    assert binding(bound(card.wire))[0] is Outcome.FAIL
    with pytest.raises(Refused) as refusal:
        presented(card)
    assert refusal.value.code == "sdjwt.not_the_holder"


@pytest.mark.parametrize("challenge", [Challenge("", "x"), Challenge("x", ""), Challenge("", "")])
def test_an_empty_challenge_binds_to_nothing_and_is_refused(challenge: Challenge) -> None:
    for attempt in (lambda: presented(CARD, challenge=challenge), lambda: opened(presented(CARD), challenge=challenge)):
        with pytest.raises(Refused) as refusal:
            attempt()
        assert refusal.value.code == "kb.challenge"


def test_a_holder_refuses_an_issued_credential_with_key_binding() -> None:
    wire = presented(CARD).wire
    for attempt in (
        lambda: sdjwt.check(Credential(sdjwt.ID, wire), keys=KEYS, now=NOW),
        lambda: presented(Credential(sdjwt.ID, wire)),
    ):
        with pytest.raises(Malformed) as refusal:
            attempt()
        assert refusal.value.code == "sdjwt.kb_on_issuance"


# --- signature --------------------------------------------------------------------------------------------------------


def test_another_issuers_key_fails_the_signature() -> None:
    shown = opened(presented(CARD), keys=Keys(issuer=STRANGER.public))
    assert (found(shown, Check.SIGNATURE).outcome, found(shown, Check.SIGNATURE).code) == (
        Outcome.FAIL,
        "jose.signature",
    )


def test_a_changed_payload_fails_the_signature() -> None:
    forged = token(payload(admin=True), signer=STRANGER)
    assert found(opened(bound(forged)), Check.SIGNATURE).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("trouble", "outcome"),
    [
        (Refused("issuer.no_key", "No such key."), Outcome.FAIL),
        (Unsupported("did.method", "No."), Outcome.FAIL),
        (Unavailable("fetch.timeout", "No answer."), Outcome.UNKNOWN),
    ],
)
def test_an_issuer_key_that_is_not_found_never_passes(trouble: SsiError, outcome: Outcome) -> None:
    finding = found(opened(presented(CARD), keys=Keys(trouble=trouble)), Check.SIGNATURE)
    assert (finding.outcome, finding.code) == (outcome, trouble.code)


def test_presentations_do_not_outlive_their_window() -> None:
    presentation = presented(CARD)
    assert binding(presentation.wire, now=NOW + timedelta(seconds=301)) == (Outcome.FAIL, "kb.old")


def test_a_holder_that_no_issuer_vouches_for_is_not_looked_up() -> None:
    class Asked(Keys):
        def holder_key(self, kid: str, *, now: datetime) -> PublicKey:
            raise AssertionError(f"{kid} was asked for, though nobody signed the credential that names it")

    shown = opened(bound(token(payload(cnf={"kid": KID}))), keys=Asked(issuer=STRANGER.public))
    assert found(shown, Check.SIGNATURE).outcome is Outcome.FAIL
    assert binding(bound(token(payload(cnf={"kid": KID}))), keys=Asked(issuer=STRANGER.public)) == (
        Outcome.UNKNOWN,
        "kb.not_looked_up",
    )
