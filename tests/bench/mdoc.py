"""mso_mdoc: issue, present and verify a licence of 18 elements, against bare signatures and pymdoccbor."""

from __future__ import annotations

import copy
import logging
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any

from pymdoccbor.mdoc.issuer import MdocCborIssuer
from pymdoccbor.mdoc.verifier import MdocCbor

from ssi.encoding import b64url, unb64url
from ssi.formats import mdoc
from ssi.issuerkeys import Keys
from ssi.keys import SoftwareSigner
from ssi.model import Challenge, Credential, Disclosure, Draft, Issuer, Outcome, Presentation
from tests.bench import floor
from tests.bench.measure import Operation, Row, at_most, cpu_ms, faster
from tests.ssi.mdocs import MDL, MDL_TYPE, iaca
from tests.support import InMemoryFetch

TITLE = "mdoc: 18 elements, device signature"
CHALLENGE = Challenge(
    nonce="kq3Zr0lXbV9mJ1c7Yw2hTg",
    audience="x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk",
    response_uri="https://verifier.example/response",
    response_key=bytes(range(32)),
)
ELEMENTS: dict[str, Any] = {  # no portrait, as in the other benches: to copy one is no work
    "family_name": "Mustermann",
    "given_name": "Erika",
    "birth_date": "1984-01-26",
    "issue_date": "2026-06-01",
    "expiry_date": "2036-05-31",
    "issuing_country": "UT",
    "issuing_authority": "Republic of Utopia",
    "document_number": "C01X00T478",
    "administrative_number": "A-20260601-17",
    "un_distinguishing_sign": "UT",
    "sex": 2,
    "height": 170,
    "eye_colour": "blue",
    "birth_place": "Berlin",
    "resident_address": "Heidestraße 17, 51147 Köln",
    "age_over_18": True,
    "age_over_21": True,
    "age_over_65": False,
}
DISCLOSURE = Disclosure(tuple((MDL, name) for name in ELEMENTS))
FACTOR = 10.0


class Case:
    """One issuer, one holder, and one document of theirs."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)
        self.signer, self.holder = SoftwareSigner.generate("ES256"), SoftwareSigner.generate("ES256")
        start = self.now - timedelta(days=1)
        self.certificate = iaca().document_signer(self.signer.public, start=start)
        self.draft = Draft(MDL_TYPE, Issuer(None, None, (self.certificate,)), {MDL: ELEMENTS})
        self.keys = Keys(InMemoryFetch({}))

    def issue(self) -> Credential:
        return mdoc.issue(self.draft, signer=self.signer, holder=self.holder.public, now=self.now)

    def present(self, credential: Credential) -> Presentation:
        return mdoc.derive(credential, disclose=DISCLOSURE, challenge=CHALLENGE, holder=self.holder, now=self.now)

    def verify(self, presentation: Presentation) -> None:
        """Everything: the issuer's signature, each digest, times, and the holder's signature for this session."""
        opened = mdoc.open(presentation, challenge=CHALLENGE, keys=self.keys, now=self.now)
        if any(finding.outcome is not Outcome.PASS for finding in opened.findings):
            raise ValueError("the presentation was refused")

    def check(self, credential: Credential) -> None:
        """What the peer verifies, and the times."""
        opened = mdoc.check(credential, keys=self.keys, now=self.now)
        if any(finding.outcome not in (Outcome.PASS, Outcome.NOT_ASKED) for finding in opened.findings):
            raise ValueError("the credential was refused")


def rows() -> list[Row]:
    """Issue, present and verify; the peer issues and verifies, and knows nothing of the holder's proof."""
    logging.getLogger("pymdoccbor").setLevel(logging.ERROR)
    case = Case()
    credential = case.issue()
    presentation = case.present(credential)
    contenders: dict[str, Operation] = {
        "issue": case.issue,
        "present": lambda: case.present(credential),
        "verify": lambda: case.verify(presentation),
        "check": lambda: case.check(credential),
        **_floor(case),
        **_peer(case, presentation),
    }
    ms = cpu_ms(contenders, rounds=60, batch=10)
    bare = f"cryptography {version('cryptography')}, signatures alone"
    made = [at_most(f"mdoc {name}", ms[name], bare, ms[f"floor {name}"]) for name in ("issue", "present", "verify")]
    peer = f"pymdoccbor {version('pymdoccbor')}"
    made.append(faster("mdoc issue", ms["issue"], peer, ms["peer issue"], FACTOR))
    made.append(faster("mdoc verify, issuer's part", ms["check"], f"{peer}, issuer's part", ms["peer verify"], FACTOR))
    without = f"{peer} WITHOUT device authentication, which it does not know"
    made.append(faster("mdoc verify, device signature too", ms["verify"], without, ms["peer verify"]))
    return made


def _floor(case: Case) -> dict[str, Operation]:
    """A signature of each, and two verifications."""
    issued = floor.verify(case.signer.public, floor.MESSAGE, case.signer.sign(floor.MESSAGE))
    shown = floor.verify(case.holder.public, floor.MESSAGE, case.holder.sign(floor.MESSAGE))
    return {
        "floor issue": floor.sign(case.signer),
        "floor present": floor.sign(case.holder),
        "floor verify": lambda: (issued(), shown()),
    }


def _peer(case: Case, presentation: Presentation) -> dict[str, Operation]:
    """The same document by pymdoccbor, and our own presentation, which it verifies without the holder's proof.

    Both begin and end with the base64url of OpenID4VCI 1.0 A.2 and OpenID4VP 1.0 B.2.5.
    """
    issuer = MdocCborIssuer(private_key=_their_key(case.signer), alg="ES256")
    data = {MDL: ELEMENTS}
    today = case.now.date()
    validity = {"issuance_date": today.isoformat(), "expiry_date": (today + timedelta(days=30)).isoformat()}
    holder = {"KTY": "EC2", "CURVE": "P_256", "X": case.holder.public.x, "Y": case.holder.public.y}

    def issue() -> str:
        issuer.new(
            data=copy.copy(data),
            doctype=MDL_TYPE,
            validity=validity,
            devicekeyinfo=holder,
            x509_chain=[case.certificate],
        )
        return b64url(issuer.dump())

    def verify() -> None:
        reader = MdocCbor()
        reader.loads(unb64url(presentation.wire))
        if not reader.verify():
            raise ValueError("the peer refused our presentation")

    return {"peer issue": issue, "peer verify": verify}


def _their_key(signer: SoftwareSigner) -> dict[str, Any]:
    private = signer.native.private_numbers().private_value.to_bytes(32, "big")  # type: ignore[union-attr]  # EC
    public = signer.public
    return {"KTY": "EC2", "CURVE": "P_256", "ALG": "ES256", "D": private, "X": public.x, "Y": public.y}
