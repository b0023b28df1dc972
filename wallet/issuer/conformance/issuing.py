"""Issuing for test suites: one credential document in, the same document with a proof out.

The document is the caller's, its `issuer` too: nothing is vouched for, and the keys are good for nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from ssi import jsonld, suites, vcdm
from ssi.encoding import Json
from ssi.errors import Malformed
from ssi.formats import vcjwt
from ssi.model import KeyResolver
from ssi.suites import SelectiveSuite, proofs
from wallet.issuer.conformance.desks import JWT, Desk

_POINTERS: Final = 256


def issue(
    desk: Desk,
    credential: Json,
    options: Mapping[str, Json],
    *,
    now: datetime,
    random: Callable[[int], bytes],
) -> Mapping[str, Json]:
    """The credential, secured at this desk. Raises Malformed, Unsupported (`vcdm.*`, `jsonld.*`, `suite.*`)."""
    if not isinstance(credential, Mapping):
        raise Malformed("conformance.credential", "'credential' in the request is not an object.")
    vcdm.credential(credential)
    # Also where only its bytes are signed: nobody should be able to read it otherwise than it was meant.
    jsonld.check({name: value for name, value in credential.items() if name != "proof"})
    if desk.method == JWT:
        return _enveloped(desk, credential)
    return proofs.add(
        credential,
        suite=suites.by_name(desk.method),
        signer=desk.signer,
        verification_method=desk.verification_method,
        created=now,
        mandatory=pointers(options, "mandatoryPointers"),
        random=random,
    )


def _enveloped(desk: Desk, credential: Mapping[str, Json]) -> Mapping[str, Json]:
    """VC-JOSE-COSE §3.1.1, in the envelope of VCDM 2.0 §4.13.1."""
    token = vcjwt.sign_document(credential, signer=desk.signer, kid=desk.verification_method)
    return vcdm.envelop(token.encode("ascii"), vcjwt.MEDIA_TYPE)


def derive(
    credential: Json,
    options: Mapping[str, Json],
    *,
    keys: KeyResolver,
    now: datetime,
    random: Callable[[int], bytes],
) -> Mapping[str, Json]:
    """What a holder shows of a credential with a base proof: the issuer's mandatory part and the chosen pointers.

    The base proof is verified first, as any holder would. Raises SsiError.
    """
    if not isinstance(credential, Mapping):
        raise Malformed("conformance.credential", "'verifiableCredential' in the request is not an object.")
    vcdm.credential(credential)
    document, proof, suite = _base(credential)
    method = keys.method_key(str(proof.get("verificationMethod")), relationship="assertionMethod", now=now)
    suite.check_base(document, proof, key=method.key)
    header = options.get("challenge", "")
    if not isinstance(header, str):
        raise Malformed("conformance.challenge", "'challenge' in the options is not text.")
    chosen = pointers(options, "selectivePointers") or ()
    return suite.derive(document, proof, pointers=chosen, challenge=header.encode(), random=random)


def _base(credential: Mapping[str, Json]) -> tuple[dict[str, Json], Mapping[str, Json], SelectiveSuite]:
    """The document without proofs, its one proof by a suite that can hide, and that suite."""
    proof = credential.get("proof")
    found = [one for one in (proof if isinstance(proof, list) else [proof]) if isinstance(one, Mapping)]
    selective = [(one, suite) for one in found if isinstance(suite := suites.of(one), SelectiveSuite)]
    if len(selective) != 1:
        raise Malformed("conformance.base_proof", "The credential has not exactly one proof of a kind that can hide.")
    return {name: value for name, value in credential.items() if name != "proof"}, *selective[0]


def pointers(options: Mapping[str, Json], name: str) -> tuple[str, ...] | None:
    """A list of JSON pointers among the options, or None when absent. Raises Malformed (`conformance.pointers`)."""
    given = options.get(name)
    if given is None:
        return None
    if not isinstance(given, list) or len(given) > _POINTERS or not all(isinstance(each, str) for each in given):
        raise Malformed("conformance.pointers", f"'{name}' in the options is not a list of JSON pointers.")
    return tuple(given)
