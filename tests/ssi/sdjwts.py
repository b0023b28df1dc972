"""SD-JWTs for tests: honest ones from the format itself, and hostile ones put together by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ssi import jose
from ssi.encoding import b64url, seconds
from ssi.errors import Refused
from ssi.formats import sdjwt
from ssi.formats.disclosures import digest
from ssi.keys import PublicKey, Signer, SoftwareSigner
from ssi.model import (
    Challenge,
    Check,
    ClaimPath,
    Credential,
    Disclosure,
    Draft,
    Finding,
    Issuer,
    Opened,
    Presentation,
    ResolvedKey,
)
from tests.support import NOW

TYPE = "urn:example:person:1"
ISSUER = SoftwareSigner.generate("ES256")
HOLDER = SoftwareSigner.generate("ES256")
STRANGER = SoftwareSigner.generate("ES256")
CHALLENGE = Challenge(nonce="n-0S6_WzA2Mj", audience="x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk")
KID = "did:example:holder#1"


@dataclass(frozen=True)
class Keys:
    """A resolver that knows one issuer, and one holder by `KID`."""

    issuer: PublicKey = ISSUER.public
    holder: PublicKey = HOLDER.public
    trouble: Exception | None = None

    def issuer_key(self, issuer: Issuer, *, alg: str, now: datetime) -> ResolvedKey:
        if self.trouble:
            raise self.trouble
        return ResolvedKey(self.issuer, "issuer-metadata")

    def holder_key(self, kid: str, *, now: datetime) -> PublicKey:
        if self.trouble:
            raise self.trouble
        if kid != KID:
            raise Refused("did.no_key", "There is no such key.")
        return self.holder


KEYS = Keys()


def issued(
    claims: Mapping[str, Any],
    disclosable: Sequence[ClaimPath] = (),
    *,
    signer: Signer = ISSUER,
    holder: PublicKey | None = HOLDER.public,
    **draft: Any,
) -> Credential:
    """An honest credential."""
    made = Draft(TYPE, Issuer("https://issuer.test", "key-1"), claims, tuple(disclosable), **draft)
    return sdjwt.issue(made, signer=signer, holder=holder, now=NOW)


def presented(credential: Credential, *paths: ClaimPath, holder: Signer = HOLDER, **changes: Any) -> Presentation:
    """An honest presentation of some claims."""
    given = {"challenge": CHALLENGE, "holder": holder, "now": NOW, **changes}
    return sdjwt.derive(credential, disclose=Disclosure(paths), **given)


def opened(presentation: Presentation | str, **changes: Any) -> Opened:
    """What the verifier makes of it."""
    what = Presentation(sdjwt.ID, presentation) if isinstance(presentation, str) else presentation
    return sdjwt.open(what, **{"challenge": CHALLENGE, "keys": KEYS, "now": NOW, **changes})


def found(opened_: Opened, check: Check) -> Finding:
    """The one finding on a question."""
    (finding,) = (finding for finding in opened_.findings if finding.check is check)
    return finding


def disclosure(*contents: Any) -> str:
    """A disclosure of any contents, right or wrong, written as other implementations do (with spaces)."""
    return b64url(json.dumps(contents).encode())


def digest_of(text: str) -> str:
    """Its SHA-256 digest."""
    return digest(text.encode())


def payload(**claims: Any) -> dict[str, Any]:
    """The registered claims of an ordinary credential, and others."""
    return {"iss": "https://issuer.test", "vct": TYPE, "cnf": {"jwk": HOLDER.public.jwk}, **claims}


def token(
    claims: Mapping[str, Any], *texts: str, signer: Signer = ISSUER, header: Mapping[str, Any] | None = None
) -> str:
    """An issuer-signed SD-JWT with these disclosures, the last `~` included; nothing is checked."""
    return "~".join((jose.sign(claims, signer=signer, header=header or {"typ": "dc+sd-jwt"}), *texts, ""))


def bound(
    sd_jwt: str,
    *,
    signer: Signer = HOLDER,
    header: Mapping[str, Any] | None = None,
    without: str | None = None,
    **claims: Any,
) -> str:
    """The SD-JWT with a key binding of which any part may be wrong."""
    right = {
        "iat": seconds(NOW),
        "aud": CHALLENGE.audience,
        "nonce": CHALLENGE.nonce,
        "sd_hash": digest_of(sd_jwt),
        **claims,
    }
    right.pop(without or "", None)
    return sd_jwt + jose.sign(right, signer=signer, header=header or {"typ": "kb+jwt"})
