"""Whole requests: proofs of every type, key attestations, and what is refused with which reason."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ssi import suites
from ssi.dids import multikey
from ssi.errors import SsiError
from ssi.issuerkeys import Keys
from ssi.jose import jws
from ssi.keys import PublicKey, SoftwareSigner
from ssi.oid4vci import (
    AttestationNeed,
    Configuration,
    CredentialRequest,
    OAuthError,
    keyattestation,
    proof,
    vpproof,
)
from ssi.suites import proofs
from tests.ssi.certificates import root
from tests.support import InMemoryFetch

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
ISSUER = "https://issuer.example"
AUTHORITY = root()
PROVIDER = SoftwareSigner.generate("ES256")
CHAIN = (AUTHORITY.certify(PROVIDER.public),)
HOLDERS = tuple(SoftwareSigner.generate("ES256") for _ in range(3))
PUBLIC = tuple(one.public for one in HOLDERS)
ALGS: Mapping[str, tuple[str, ...]] = {
    "jwt": ("ES256", "EdDSA"),
    "attestation": ("ES256",),
    "di_vp": ("ecdsa-rdfc-2019", "eddsa-rdfc-2022"),
}
PLAIN = Configuration("Person", "dc+sd-jwt", proof_algs=ALGS)
NEEDY = Configuration("Person", "dc+sd-jwt", proof_algs=ALGS, needs={"jwt": AttestationNeed()})
STRONG = AttestationNeed(key_storage=("iso_18045_high", "iso_18045_moderate"))


def attest(**changes: Any) -> str:
    terms = {"signer": PROVIDER, "x5c": CHAIN, "keys": PUBLIC, "now": NOW, "lifetime": timedelta(hours=1), "nonce": "n"}
    return keyattestation.make(**{**terms, **changes})


def attest_raw(header: Mapping[str, Any] | None = None, **claims: Any) -> str:
    """An attestation with its parts replaced; a claim of None is left out."""
    real = jws.parse(attest(), typ=None)
    said = {k: v for k, v in {**real.claims, **claims}.items() if v is not None}
    return jws.sign(said, signer=PROVIDER, header={**real.header, **(header or {})})


def make(holder: SoftwareSigner = HOLDERS[0], **changes: Any) -> str:
    return proof.make(**{"signer": holder, "audience": ISSUER, "nonce": "n", "now": NOW, **changes})


def judge(kind: str, *proofs: Any, configuration: Configuration = PLAIN, **changes: Any) -> tuple[proof.Proof, ...]:
    terms = {"audience": ISSUER, "keys": Keys(InMemoryFetch({})), "now": NOW, "batch_size": 5, **changes}
    return proof.verify_all(CredentialRequest("Person", None, kind, proofs), configuration, **terms)


def refused(kind: str, *proofs: Any, **changes: Any) -> str:
    with pytest.raises(OAuthError) as caught:
        judge(kind, *proofs, **changes)
    assert caught.value.error == "invalid_proof"
    return caught.value.detail


class TestBatch:
    def test_each_proof_is_a_key_of_its_own(self) -> None:
        found = judge("jwt", *(make(one) for one in HOLDERS))
        assert [one.key for one in found] == list(PUBLIC)
        assert all(one.proven for one in found)
        assert proof.nonces(found) == {"n"}

    def test_nonces_of_all_proofs_are_told(self) -> None:
        found = judge("jwt", make(), make(HOLDERS[1], nonce="m"))
        assert proof.nonces(found) == {"n", "m"}

    def test_one_key_twice_is_refused(self) -> None:
        assert "same key" in refused("jwt", make(), make())

    def test_one_bad_proof_spoils_all(self) -> None:
        assert "aud" in refused("jwt", make(), make(HOLDERS[1], audience="https://other.example"))

    def test_more_than_the_batch_is_refused(self) -> None:
        assert "at most 2" in refused("jwt", *(make(one) for one in HOLDERS), batch_size=2)

    def test_no_proof_and_unknown_types_are_refused(self) -> None:
        with pytest.raises(OAuthError) as caught:
            proof.verify_all(
                CredentialRequest("Person"), PLAIN, audience=ISSUER, keys=Keys(InMemoryFetch({})), now=NOW, batch_size=1
            )
        assert (caught.value.error, caught.value.detail) == ("invalid_proof", "The proofs parameter is missing.")
        assert "jwt or attestation or di_vp" in refused("cwt", make())
        listed = Configuration("Person", "dc+sd-jwt", proof_algs={"jwt": ("ES256",)})
        assert "of type jwt only" in refused("attestation", attest(), configuration=listed)

    def test_iss_is_sent_only_when_given(self) -> None:
        assert "iss" not in jws.parse(make(), typ=None).claims
        assert jws.parse(make(client_id="https://wallet.example"), typ=None).claims["iss"] == "https://wallet.example"


class TestAttestationBesideJwt:
    def test_every_attested_key_counts_the_proven_first(self) -> None:
        found = judge("jwt", make(HOLDERS[1], key_attestation=attest()), configuration=NEEDY)
        assert [one.key for one in found] == [PUBLIC[1], PUBLIC[0], PUBLIC[2]]
        assert [one.proven for one in found] == [True, False, False]
        assert {one.attestation.provider.x5c for one in found if one.attestation} == {CHAIN}

    def test_proofs_that_share_an_attestation_make_no_key_twice(self) -> None:
        shared = attest(nonce="a")
        found = judge("jwt", *(make(one, key_attestation=shared) for one in HOLDERS), configuration=NEEDY)
        assert [(one.key, one.proven) for one in found] == [(key, True) for key in PUBLIC]
        assert proof.nonces(found) == {"n", "a"}

    def test_kid_may_be_the_place_or_the_name_of_an_attested_key(self) -> None:
        assert judge("jwt", make(kid="0", key_attestation=attest()))[0].key == PUBLIC[0]
        named = attest_raw(attested_keys=[{**key.jwk, "kid": f"k{place}"} for place, key in enumerate(PUBLIC)])
        assert judge("jwt", make(kid="k0", key_attestation=named))[0].key == PUBLIC[0]
        assert "neither a DID URL" in refused("jwt", make(kid="9", key_attestation=attest()))
        assert "neither a DID URL" in refused("jwt", make(kid="0"))

    def test_a_key_that_is_not_attested_is_refused(self) -> None:
        outsider = SoftwareSigner.generate("ES256")
        assert "not signed with a key of its" in refused("jwt", make(outsider, key_attestation=attest()))

    def test_it_must_be_there_where_it_is_needed(self) -> None:
        assert "needs a key attestation" in refused("jwt", make(), configuration=NEEDY)

    def test_an_issuer_that_reads_none_takes_the_proof_alone(self) -> None:
        found = judge("jwt", make(key_attestation=attest_raw(attested_keys=[])), attestations=False)
        assert [(one.key, one.attestation) for one in found] == [(PUBLIC[0], None)]

    def test_it_must_say_when_it_expires(self) -> None:
        assert "when it expires" in refused("jwt", make(key_attestation=attest_raw(exp=None)))

    @pytest.mark.parametrize("nonce", [None, ""])
    def test_it_must_hold_a_nonce(self, nonce: str | None) -> None:
        assert "holds no c_nonce" in refused("jwt", make(key_attestation=attest_raw(nonce=nonce)))


class TestAttestationAlone:
    def test_every_attested_key_counts_though_none_signed(self) -> None:
        found = judge("attestation", attest())
        assert [(one.key, one.proven, one.nonce) for one in found] == [(key, False, "n") for key in PUBLIC]

    def test_more_keys_than_the_batch_are_refused(self) -> None:
        assert "at most 2 keys" in refused("attestation", attest(), batch_size=2)

    def test_a_key_twice_is_refused(self) -> None:
        assert "names a key twice" in refused("attestation", attest(keys=(PUBLIC[0], PUBLIC[0])))

    def test_a_changed_signature_is_refused(self) -> None:
        other = SoftwareSigner.generate("ES256")
        assert "signature" in refused("attestation", attest(signer=other))

    def test_an_expired_or_future_one_is_refused(self) -> None:
        assert "expired" in refused("attestation", attest(now=NOW - timedelta(hours=1)))
        assert "future" in refused("attestation", attest(now=NOW + timedelta(minutes=2)))
        assert judge("attestation", attest_raw(exp=None))[0].attestation is not None  # D.1: optional here

    def test_an_unlisted_algorithm_is_refused_by_this_types_own_list(self) -> None:
        narrow = Configuration("P", "x", proof_algs={"jwt": ("ES256",), "attestation": ("ES384",)})
        assert "algorithm that is not listed" in refused("attestation", attest(), configuration=narrow)

    def test_private_keys_and_other_types_are_refused(self) -> None:
        private = {**PUBLIC[0].jwk, "d": "AAAA"}
        assert "private" in refused("attestation", attest_raw(attested_keys=[private]))
        assert "not of the type" in refused("attestation", attest_raw({"typ": "JWT"}))
        assert refused("attestation", attest_raw(attested_keys=[]))
        assert refused("attestation", attest_raw(key_storage=[]))

    def test_a_signer_at_an_address_of_the_wallets_choice_is_not_looked_up(self) -> None:
        bare = {"typ": keyattestation.TYP, "kid": "1"}
        claims = jws.parse(attest(), typ=None).claims | {"iss": "https://evil.example"}
        assert "no certificate or DID" in refused("attestation", jws.sign(claims, signer=PROVIDER, header=bare))

    def test_the_protection_that_is_needed_must_be_attested(self) -> None:
        strong = Configuration("P", "x", proof_algs=ALGS, needs={"attestation": STRONG})
        assert "protection" in refused("attestation", attest(), configuration=strong)
        assert "protection" in refused("attestation", attest(key_storage=("iso_18045_basic",)), configuration=strong)
        assert judge("attestation", attest(key_storage=("iso_18045_high",)), configuration=strong)


class TestPresentation:
    def method(self, key: PublicKey) -> str:
        did = "did:key:" + multikey.encode(key)
        return f"{did}#{did.removeprefix('did:key:')}"

    def shown(self, holder: SoftwareSigner = HOLDERS[0], **changes: Any) -> dict[str, Any]:
        terms = {"signer": holder, "verification_method": self.method(holder.public), "suite": "ecdsa-rdfc-2019"}
        return vpproof.make(**{**terms, "audience": ISSUER, "nonce": "n", "now": NOW, **changes})

    def test_presentations_prove_keys(self) -> None:
        found = judge("di_vp", *(self.shown(one) for one in HOLDERS))
        assert [(one.key, one.nonce, one.binding) for one in found] == [(key, "n", "di_vp") for key in PUBLIC]
        edwards = SoftwareSigner.generate("EdDSA")
        assert judge("di_vp", self.shown(edwards, suite="eddsa-rdfc-2022"))[0].key == edwards.public

    def test_changed_misdirected_and_old_ones_are_refused(self) -> None:
        assert "somebody else" in refused("di_vp", self.shown(audience="https://other.example"))
        assert "too old" in refused("di_vp", self.shown(now=NOW - timedelta(minutes=6)))
        assert "future" in refused("di_vp", self.shown(now=NOW + timedelta(minutes=6)))
        good = self.shown()
        assert refused("di_vp", {**good, "id": "urn:x:changed"})
        assert refused("di_vp", good | {"holder": "did:example:other"})

    def test_another_suite_purpose_or_shape_is_refused(self) -> None:
        assert "suite" in refused("di_vp", self.shown(suite="ecdsa-jcs-2019"))
        good = self.shown()
        assert "purpose" in refused("di_vp", {**good, "proof": {**good["proof"], "proofPurpose": "assertionMethod"}})
        assert "exactly one" in refused("di_vp", {**good, "proof": [good["proof"], good["proof"]]})
        assert "exactly one" in refused("di_vp", {k: v for k, v in good.items() if k != "proof"})
        for broken in ("a.b.c", {}, {"type": ["VerifiablePresentation"]}):
            assert refused("di_vp", broken)

    def test_the_challenge_must_be_there(self) -> None:
        good = self.shown()
        bare = {k: v for k, v in good.items() if k != "proof"}
        unasked = proofs.add(
            bare,
            suite=suites.by_name("ecdsa-rdfc-2019"),
            signer=HOLDERS[0],
            verification_method=good["proof"]["verificationMethod"],
            purpose="authentication",
            created=NOW,
            domain=ISSUER,
        )
        assert "no c_nonce" in refused("di_vp", unasked)


def test_offline_dids_name_providers_too() -> None:
    provider = SoftwareSigner.generate("EdDSA")
    did = "did:key:" + multikey.encode(provider.public)
    header = {"typ": keyattestation.TYP, "kid": f"{did}#{did.removeprefix('did:key:')}"}
    token = jws.sign(jws.parse(attest(), typ=None).claims, signer=provider, header=header)
    found = keyattestation.verify(token, algs=("EdDSA",), keys=Keys(InMemoryFetch({})), now=NOW)
    assert (found.provider.kid, found.keys) == (header["kid"], PUBLIC)
    with pytest.raises(SsiError):
        keyattestation.verify(token, algs=("ES256",), keys=Keys(InMemoryFetch({})), now=NOW)
