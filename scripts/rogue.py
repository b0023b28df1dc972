"""What would a dishonest wallet do? Obtains a credential by the book, then presents it against the book.

Used by the demo and the flow tests to show refusals. It speaks plain HTTP and knows only `ssi`, never the roles.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from ssi.formats import sdjwt
from ssi.jose import jws
from ssi.keys import Signer, SoftwareSigner
from ssi.model import Challenge, ClaimPath, Credential, Disclosure, Draft, Issuer, StatusRef

PRE_AUTHORIZED = "urn:ietf:params:oauth:grant-type:pre-authorized_code"


@dataclass(frozen=True)
class Loot:
    """A credential with the key it is bound to."""

    credential: Credential
    holder: Signer


@dataclass(frozen=True)
class Asked:
    """What a request object asks for, read without checking who signed it."""

    client_id: str
    nonce: str
    state: str | None
    response_uri: str
    query_id: str


def claim(http: httpx.Client, offer_link: str, tx_code: str) -> Loot:
    """Redeem a credential offer (OpenID4VCI 1.0 §4 to §8) and keep the key in the open."""
    offer = _get(http, parse_qs(urlsplit(offer_link).query)["credential_offer_uri"][0])
    issuer = offer["credential_issuer"]
    metadata = _get(http, issuer + "/.well-known/openid-credential-issuer")
    code = offer["grants"][PRE_AUTHORIZED]["pre-authorized_code"]
    grant = {"grant_type": PRE_AUTHORIZED, "pre-authorized_code": code, "tx_code": tx_code}
    server = _get(http, issuer + "/.well-known/oauth-authorization-server")
    token = _json(http.post(server["token_endpoint"], data=grant))
    nonce = _json(http.post(metadata["nonce_endpoint"]))["c_nonce"]
    holder = SoftwareSigner.generate("ES256")
    header = {"typ": "openid4vci-proof+jwt", "jwk": dict(holder.public.jwk)}
    proof = jws.sign({"aud": issuer, "iat": _now(), "nonce": nonce}, signer=holder, header=header)
    answer = _json(
        http.post(
            metadata["credential_endpoint"],
            json={
                "credential_configuration_id": offer["credential_configuration_ids"][0],
                "proofs": {"jwt": [proof]},
            },
            headers={"Authorization": f"Bearer {token['access_token']}"},
        )
    )
    return Loot(Credential(sdjwt.ID, answer["credentials"][0]["credential"]), holder)


def asked(http: httpx.Client, request_uri: str) -> Asked:
    """Fetch a request object and read it."""
    response = http.get(request_uri)
    response.raise_for_status()
    payload = json.loads(_unpad(response.text.split(".")[1]))
    query_id = payload["dcql_query"]["credentials"][0]["id"]
    return Asked(payload["client_id"], payload["nonce"], payload.get("state"), payload["response_uri"], query_id)


def present(loot: Loot, request: Asked, paths: tuple[ClaimPath, ...]) -> str:
    """An honest presentation of the paths, bound to the request."""
    challenge = Challenge(request.nonce, request.client_id, response_uri=request.response_uri)
    made = sdjwt.derive(
        loot.credential, disclose=Disclosure(paths), challenge=challenge, holder=loot.holder, now=datetime.now(UTC)
    )
    return made.wire


def with_altered_claim(presentation: str, name: str, value: object, loot: Loot, request: Asked) -> str:
    """The same presentation with one disclosed value changed, and the key binding signed anew over the lie."""
    issued, *disclosures, _ = presentation.split("~")
    lies = [_alter(disclosure, name, value) for disclosure in disclosures]
    body = "~".join([issued, *lies, ""])
    digest = base64.urlsafe_b64encode(hashlib.sha256(body.encode()).digest()).rstrip(b"=").decode()
    claims = {"aud": request.client_id, "nonce": request.nonce, "iat": _now(), "sd_hash": digest}
    return body + jws.sign(claims, signer=loot.holder, header={"typ": "kb+jwt"})


def forge(loot: Loot, stolen: Signer, *, claims: Mapping[str, Any], at: datetime) -> Loot:
    """A card that its issuer never made: signed with a key stolen there, dated as the thief likes.

    Everything but the claims is as in an honest card of the same issuer, its place in the status list included.
    """
    honest = json.loads(_unpad(loot.credential.wire.split(".")[1]))
    entry = honest["status"]["status_list"]
    draft = Draft(
        type=honest["vct"],
        issuer=Issuer(honest["iss"], kid=f"{honest['iss']}#{stolen.kid}"),
        claims=claims,
        disclosable=tuple((name,) for name in claims),
        valid_until=datetime.fromtimestamp(honest["exp"], UTC),
        statuses=(StatusRef("token_status_list", entry["uri"], entry["idx"]),),
    )
    holder = SoftwareSigner.generate("ES256")
    return Loot(sdjwt.issue(draft, signer=stolen, holder=holder.public, now=at), holder)


def answer(http: httpx.Client, request: Asked, presentation: str) -> httpx.Response:
    """Post a presentation to where the request said (OpenID4VP 1.0 §8.2), and return the verifier's reply."""
    form = {"vp_token": json.dumps({request.query_id: [presentation]})}
    if request.state is not None:
        form["state"] = request.state
    return http.post(request.response_uri, data=form)


def _alter(disclosure: str, name: str, value: object) -> str:
    content = json.loads(_unpad(disclosure))
    if len(content) != 3 or content[1] != name:
        return disclosure
    raw = json.dumps([content[0], name, value]).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _get(http: httpx.Client, url: str) -> Any:
    return _json(http.get(url, headers={"Accept": "application/json"}))


def _json(response: httpx.Response) -> Any:
    response.raise_for_status()
    return response.json()


def _unpad(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _now() -> int:
    return int(datetime.now(UTC).timestamp())
