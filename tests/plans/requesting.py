"""A wallet as the issuer's plans have it: signs its person in at the real desk, and asks for a card in one format."""

from __future__ import annotations

import shutil
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

from werkzeug.test import TestResponse

from ssi import formats
from ssi.encoding import b64url, unb64url, wire_text
from ssi.issuerkeys import Keys
from ssi.keys import SoftwareSigner
from ssi.model import Credential, Opened
from ssi.oauth import dpop
from ssi.oid4vci import IssuerMetadata, keyattestation
from tests.issuer.applicant import CLIENT, Applicant, Provider, listed, offered
from tests.issuer.world import BASE, World
from tests.ssi.certificates import Authority, root

AUTHORITY: Authority = root()
"""Who certifies the providers of the wallets here."""

_WALLETS = count(1)
KINDS = {"sd_jwt_vc": ("VerifiedPerson", "dc+sd-jwt"), "mdoc": ("VerifiedPersonMdoc", "mso_mdoc")}
SCOPES = {"sd_jwt_vc": "verified_person", "mdoc": "verified_person_mdoc"}
METADATA = "/.well-known/openid-credential-issuer"


def bootstrapped(folder: Path) -> Path:
    """A desk's folder, made once: keys and certificates."""
    _ = World(folder).settings
    return folder


def desk(template: Path, folder: Path, *, haip: bool, **options: str) -> World:
    """A desk that knows two wallets by a list and others by their provider; or one that keeps to HAIP."""
    world = World(Path(shutil.copytree(template, folder / "desk")))
    anchors = world.folder / "providers.pem"
    anchors.write_text(ssl.DER_cert_to_PEM_cert(AUTHORITY.der))
    world.options = {"WALLET_ANCHORS": str(anchors), **({"PROFILE": "haip"} if haip else {}), **options}
    return world if haip else listed(world)


@dataclass
class Caller:
    """A wallet at a desk: plain (known by a list, with DPoP), or of HAIP (attested, with DPoP)."""

    world: World
    form: str
    haip: bool
    client_id: str = CLIENT
    applicant: Applicant = field(init=False)

    def __post_init__(self) -> None:
        self.applicant = Applicant(self.world, Provider(self.world, AUTHORITY) if self.haip else None)
        self.kind, self.format = KINDS[self.form]
        self.scope = SCOPES[self.form]
        self.key = SoftwareSigner.generate("ES256")
        self.applicant.count = 1000 * next(_WALLETS)  # a desk sees many wallets, and no proof twice
        _ = self.world.app  # makes the tables
        self.issued = len(self.world.rows("credentials"))

    def offered(self) -> tuple[str, str]:
        """A card is waiting: the reference and the six digits."""
        reference, _, tx_code = offered(self.world, kind=self.kind)
        return reference, tx_code

    def code(self, **changes: Any) -> str:
        return self.applicant.code(*self.offered(), **{"scope": (self.scope,), **changes})

    def token(self, **changes: Any) -> dict[str, Any]:
        answer = self.applicant.redeem(self.code(**changes))
        assert answer.status_code == 200, answer.text
        assert answer.json["token_type"] == "DPoP"
        return dict(answer.json)

    def access(self) -> str:
        return str(self.token()["access_token"])

    # --- the protected endpoints ---

    def bound(self, path: str, access: str, *, scheme: str = "DPoP", **terms: Any) -> dict[str, str]:
        """The headers that show an access token with a right proof, but for `terms`."""
        nonce = self.world.post("/nonce").headers[dpop.NONCE_HEADER]
        proof = self.applicant.proof(path, **{"nonce": nonce, "access_token": access, **terms})
        return {"Authorization": f"{scheme} {access}", dpop.HEADER: proof}

    def proofs(self, *keys: SoftwareSigner, **changes: Any) -> dict[str, Any]:
        nonce = changes.pop("nonce", None) or self.world.nonce()
        made = [self.world.proof(signer=key, nonce=nonce, **changes) for key in keys or (self.key,)]
        return {"proofs": {"jwt": made}}

    def body(self, **members: Any) -> dict[str, Any]:
        """A right request for the card, but for `members`; a member that is None is left out."""
        whole = {"credential_configuration_id": self.kind, **self.proofs(), **members}
        return {name: one for name, one in whole.items() if one is not None}

    def ask(self, access: str, headers: dict[str, str] | None = None, **given: Any) -> TestResponse:
        shown = self.bound("/credential", access) if headers is None else headers
        return self.world.post("/credential", headers=shown, **(given or {"json": self.body()}))

    def asked(self, access: str, **members: Any) -> TestResponse:
        return self.ask(access, json=self.body(**members))

    def tell(self, access: str, notification_id: str, **more: Any) -> TestResponse:
        told = {"notification_id": notification_id, "event": "credential_accepted", **more}
        return self.world.post("/notification", json=told, headers=self.bound("/notification", access))

    # --- what came of it ---

    @property
    def nothing_issued(self) -> bool:
        return len(self.world.rows("credentials")) == self.issued

    def cards(self, answer: TestResponse) -> Sequence[Opened]:
        assert answer.status_code == 200, answer.text
        return [self.opened(wire_text(one["credential"]) or "") for one in answer.json["credentials"]]

    def opened(self, wire: str) -> Opened:
        """A card as a wallet checks it: nothing of it fails, and it is the person's."""
        credential = Credential(self.format, wire)
        form = formats.by_id(self.format)
        found = form.check(credential, keys=Keys(self.world.fetch), now=self.world.clock())
        assert not [one for one in found.findings if one.outcome.value in ("fail", "unknown")]
        assert "Quantock" in str(found.claims)
        return found

    def metadata(self) -> IssuerMetadata:
        return IssuerMetadata.parse(self.world.get(METADATA).data, issuer=BASE)


def attested_keys(world: World, keys: Sequence[SoftwareSigner], *, nonce: str) -> str:
    """A key attestation by a provider whom the authority certifies."""
    provider = SoftwareSigner.generate("ES256")
    return keyattestation.make(
        signer=provider,
        x5c=(AUTHORITY.certify(provider.public),),
        keys=[key.public for key in keys],
        now=world.clock(),
        lifetime=timedelta(hours=1),
        nonce=nonce,
    )


def broken(token: str) -> str:
    """A token with one bit of its signature changed."""
    head, _, signature = token.rpartition(".")
    raw = bytearray(unb64url(signature))
    raw[7] ^= 1
    return f"{head}.{b64url(bytes(raw))}"
