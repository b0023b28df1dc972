"""mso_mdoc: mobile documents (ISO/IEC 18013-5), shown over OpenID4VP 1.0 (Appendix B.2) or in proximity.

Claims are sorted as the document has them, `{namespace: {element: value}}`, and every element can be hidden by itself.
What breaks the structure cannot be read and raises; signature, digests, times and the holder's proof are judged.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime

from ssi.cose import headers, sign1
from ssi.cose.cbor import Cbor
from ssi.encoding import Json, b64url
from ssi.errors import Malformed, Refused, Unsupported
from ssi.formats.hiding import Random
from ssi.formats.mdoc import deviceauth, elements, items, transcripts, verdicts, wire
from ssi.formats.mdoc import mso as security
from ssi.formats.mdoc.items import Item
from ssi.formats.mdoc.mso import Mso
from ssi.formats.mdoc.wire import Document, Issued
from ssi.keys import Agreement, PublicKey, Signer
from ssi.model import (
    Challenge,
    Check,
    ClaimPath,
    Credential,
    Disclosure,
    Draft,
    Finding,
    Issuer,
    KeyResolver,
    Opened,
    Outcome,
    Presentation,
)
from ssi.trust import x509

ID = "mso_mdoc"
MECHANICS: frozenset[ClaimPath] = frozenset()
"""None: what a document says of itself stands in its security object, and not among its elements."""


# --- the format -------------------------------------------------------------------------------------------------------


def issue(
    draft: Draft, *, signer: Signer, holder: PublicKey | None, now: datetime, random: Random = secrets.token_bytes
) -> Credential:
    """Sign what the draft says, bound to the holder's key; every element can be hidden later, whatever the draft says.

    `draft.issuer.x5c` is the chain of the signer's certificate. Without `valid_until` the document lasts as long as
    that certificate. Raises Malformed (`mdoc.claims`, `mdoc.element_type`, `mdoc.no_holder`, `mdoc.no_certificate`),
    Refused (`mdoc.certificate`, `mdoc.issuing_place`, `mdoc.validity`), Unsupported (`mdoc.cannot_hide`, `mdoc.status`,
    `cose.alg`).
    """
    if holder is None:
        raise Malformed("mdoc.no_holder", "A mobile document must be bound to its holder's key.")
    if any(len(path) != 2 for path in draft.disclosable):
        raise Unsupported("mdoc.cannot_hide", "A mobile document can hide elements, but no parts of them.")
    leaf, said = _certificate(draft.issuer, signer), _elements(draft)
    if not verdicts.placed(said.get(elements.MDL, {}), draft.issuer):
        raise Refused("mdoc.issuing_place", "The document would name another country or state than its certificate.")
    packed = items.pack(said, decoys=draft.decoys, random=random)
    signed = now.astimezone(UTC).replace(microsecond=0)
    start = max(signed, draft.valid_from or signed)
    end = draft.valid_until or leaf.not_after
    if end <= start or not leaf.not_before <= signed <= leaf.not_after:
        raise Refused("mdoc.validity", "The document's times contradict each other or those of its certificate.")
    mso = Mso(draft.type, items.SHA256, packed.digests, holder, signed, start, end, statuses=draft.statuses)
    chain = list(draft.issuer.x5c) if len(draft.issuer.x5c) > 1 else draft.issuer.x5c[0]
    auth = sign1.make(security.write(mso), protected={}, signer=signer, unprotected={headers.X5CHAIN: chain})
    return Credential(ID, b64url(wire.write_credential(packed.items, auth)))


def check(credential: Credential, *, keys: KeyResolver, now: datetime) -> Opened:
    """Open a document as its holder received it: possession of the key is not asked yet. Raises Malformed, Unsupported.

    What the issuer signed and did not send along is counted as hidden.
    """
    issued = wire.read_credential(wire.unwrapped(credential.wire))
    form = verdicts.form(issued, doc_type=issued.mso.doc_type, status=0)
    return _opened(issued, form, verdicts.BOUND, keys=keys, now=now)


def derive(
    credential: Credential, *, disclose: Disclosure, challenge: Challenge, holder: Signer, now: datetime
) -> Presentation:
    """Make the response that shows the chosen elements and no more, signed for this request (OpenID4VP 1.0 B.2).

    Raises Refused (`mdoc.no_such_claim`, `mdoc.not_the_holder`, `mdoc.challenge`), Unsupported
    (`mdoc.transaction_data`: no document type here has elements for it), Malformed.
    """
    if challenge.transaction_data:
        raise Unsupported("mdoc.transaction_data", "A mobile document cannot answer for a transaction.")
    transcript = transcripts.of(challenge)
    return Presentation(ID, b64url(respond(credential, disclose=disclose, transcript=transcript, holder=holder)))


def open(presentation: Presentation, *, challenge: Challenge, keys: KeyResolver, now: datetime) -> Opened:
    """Open and judge a presentation against its challenge (§9.3).

    Raises Malformed, Unsupported, and Refused (`mdoc.challenge`) for a challenge that binds to nothing.
    """
    transcript = transcripts.of(challenge)
    document = wire.read_presentation(wire.unwrapped(presentation.wire))
    binding = _binding(document, transcript, None)
    if challenge.transaction_data and binding.outcome is Outcome.PASS:
        detail = "The proof does not cover the transaction."
        binding = Finding(Check.HOLDER_BINDING, Outcome.FAIL, "mdoc.transaction_data", detail)
    return _judged(document, binding, keys=keys, now=now)


def core(shown: str) -> bytes:
    """The security object and its signature: what every showing repeats. Raises Malformed, Unsupported."""
    return wire.read_presentation(wire.unwrapped(shown)).issued.auth.core


def meets(meta: Mapping[str, Json], opened: Opened) -> bool:
    """Is the document of the `doctype_value` (OpenID4VP 1.0 B.2.3)? An empty `meta` asks for nothing (§6.1)."""
    return not meta or meta.get("doctype_value") == opened.type


def asked(meta: Mapping[str, Json]) -> tuple[str, ...]:
    """The `doctype_value` of a DCQL `meta` object; () when it has none that can be read."""
    named = meta.get("doctype_value")
    return (named,) if isinstance(named, str) else ()


def within(path: ClaimPath) -> ClaimPath:
    """The element without its namespace, which says who defined it and nothing of the subject."""
    return path[1:]


def whole(_claims: Mapping[str, Json], path: ClaimPath) -> ClaimPath | None:
    """The same path, if it is a namespace and an element: nothing else is one here (OpenID4VP 1.0 §7.2)."""
    return path if len(path) == 2 and all(isinstance(part, str) for part in path) else None


# --- in proximity, and for whoever has a transcript -------------------------------------------------------------------


def respond(
    credential: Credential,
    *,
    disclose: Disclosure,
    transcript: bytes,
    holder: Signer,
    reader: PublicKey | None = None,
) -> bytes:
    """DeviceResponse for any session transcript (`ssi.formats.mdoc.transcripts`).

    With `reader`, the reader's ephemeral key, the proof is a code for that reader alone and no signature that could be
    shown to others (ISO/IEC 18013-5 §9.1.3.5). Raises as `derive`, and Refused (`key.agreement`),
    Unsupported (`mdoc.no_agreement`).
    """
    issued = wire.read_credential(wire.unwrapped(credential.wire))
    if holder.public != issued.mso.device_key:
        raise Refused("mdoc.not_the_holder", "The credential is bound to another key.")
    shown, doc_type = _chosen(issued, disclose), issued.mso.doc_type
    if reader is None:
        proof = deviceauth.sign(transcript, doc_type, holder=holder)
    elif isinstance(holder, Agreement):
        proof = deviceauth.mac(transcript, doc_type, holder=holder, reader=reader)
    else:
        raise Unsupported("mdoc.no_agreement", "The holder's key cannot agree on a secret with the reader.")
    return wire.write_presentation(doc_type, shown, issued.auth, names=deviceauth.NO_ELEMENTS, device_auth=proof)


def open_response(
    response: bytes, *, transcript: bytes, keys: KeyResolver, now: datetime, reader: Agreement | None = None
) -> Opened:
    """Open and judge a DeviceResponse against any session transcript; `reader` is needed for proofs made by code.

    Raises Malformed, Unsupported.
    """
    document = wire.read_presentation(response)
    return _judged(document, _binding(document, transcript, reader), keys=keys, now=now)


# --- reading ----------------------------------------------------------------------------------------------------------


def _binding(document: Document, transcript: bytes, reader: Agreement | None) -> Finding:
    device, mso = document.device, document.issued.mso
    if device is None:
        return deviceauth.MISSING
    problem = deviceauth.unauthorized(device.elements, mso.authorized)
    return problem or deviceauth.judge(
        device.auth,
        key=mso.device_key,
        transcript=transcript,
        doc_type=document.doc_type,
        names=device.names,
        reader=reader,
    )


def _judged(document: Document, binding: Finding, *, keys: KeyResolver, now: datetime) -> Opened:
    form = verdicts.form(document.issued, doc_type=document.doc_type, status=document.status)
    return _opened(document.issued, form, binding, keys=keys, now=now)


def _opened(issued: Issued, form: Finding, binding: Finding, *, keys: KeyResolver, now: datetime) -> Opened:
    mso, issuer = issued.mso, Issuer(None, None, issued.auth.x5chain)
    signature = verdicts.signature(issued, issuer, keys=keys, now=now)
    claims: dict[str, dict[str, Json]] = {}
    for item in issued.items:
        value = item.value
        claims.setdefault(item.namespace, {})[item.element] = value if type(value) is str else elements.to_json(value)
    return Opened(
        format=ID,
        type=mso.doc_type,
        issuer=issuer,
        claims=claims,
        findings=(form, signature, binding, verdicts.validity(mso, issuer, now=now)),
        holder=mso.device_key,
        statuses=mso.statuses,
        issued_at=mso.signed,
        valid_from=mso.valid_from,
        valid_until=mso.valid_until,
        disclosed=tuple((item.namespace, item.element) for item in issued.items),
        hidden=max(0, sum(map(len, mso.digests.values())) - len(issued.items)),
    )


# --- writing ----------------------------------------------------------------------------------------------------------


def _certificate(issuer: Issuer, signer: Signer) -> x509.Leaf:
    """§9.1.2.4: the signer's certificate comes with the signature."""
    if not issuer.x5c:
        raise Malformed("mdoc.no_certificate", "A mobile document is signed with a certificate, and there is none.")
    leaf = x509.leaf(issuer.x5c)
    if leaf.public != signer.public:
        raise Refused("mdoc.certificate", "The certificate is for another key than the one that signs.")
    return leaf


def _elements(draft: Draft) -> dict[str, dict[str, Cbor]]:
    if not draft.type or not draft.claims:
        raise Malformed("mdoc.claims", "The draft has no type or no elements.")
    found = {}
    for namespace, values in draft.claims.items():
        if not isinstance(values, Mapping) or not values:
            raise Malformed("mdoc.claims", "The draft's claims are not sorted into namespaces.")
        found[namespace] = {name: elements.to_cbor(namespace, name, value) for name, value in values.items()}
    return found


def _chosen(issued: Issued, disclose: Disclosure) -> list[Item]:
    """OpenID4VP 1.0 §7.2: a path is a namespace and an element."""
    known = {(item.namespace, item.element) for item in issued.items}
    if not known.issuperset(disclose.paths):
        raise Refused("mdoc.no_such_claim", "The credential does not have a claim that was to be shown.")
    wanted = set(disclose.paths)
    return [item for item in issued.items if (item.namespace, item.element) in wanted]
