"""Flow: what does a whole issue and a whole presentation cost each service, over loopback HTTP?

Issuer and verifier run as their operators would run them (`facet-issuer serve`, `facet-verifier serve`, TLS, one worker
each, on one core), and once more without TLS, as behind a proxy. This process plays the wallet and, by `/control`,
clerk and relying party: one request after the other on connections that stay open. CPU is what each service's whole
process tree used, by /proc; best of the rounds, as other work on the machine can only make it more. The card's status
list is the issuer's own, fetched by the verifier when it is first needed.

Named peer: a widely used JavaScript stack, measured elsewhere in this way and not here, took 12.7 ms (direct_post) and
13.9 ms (direct_post.jwt) at the verifier, and 20 to 32 ms for a credential at the issuer.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

from service.bootstrap import bootstrap
from ssi import oid4vp
from ssi.formats import sdjwt
from ssi.keys import SoftwareSigner
from ssi.model import Credential, Disclosure
from ssi.oid4vci import PRE_AUTHORIZED_CODE, proof
from tests.bench import http as answering
from tests.bench.measure import Row
from tests.bench.services import FORM, JSON, Line, Service, free_port, serve

TITLE = "Flow: issue and present over loopback HTTP, CPU of each service"
CARD: Final = "VerifiedPerson"
PER_CREDENTIAL_MS: Final = 3.0
COUNT, ROUNDS, BATCH = 40, 6, 10
PEER: Final = "JS stack, elsewhere"
ISSUER_PEER_MS: Final = 20.0
VERIFIER_PEER_MS: Final = {oid4vp.DIRECT_POST: 12.7, oid4vp.DIRECT_POST_JWT: 13.9}


@dataclass(frozen=True)
class Town:
    """Both services, a connection to each, and the wallet's key."""

    issuer: Service
    verifier: Service
    receiving: Line
    asking: Line
    holder: SoftwareSigner


Operation = Callable[[Town], Iterator[bool]]
"""Does what is to be measured after its first and only `yield`, and before it what must be there already."""


def rows() -> list[Row]:
    """CPU per credential and per presentation, with TLS and without it."""
    return [row for plain in (False, True) for row in _rows(plain=plain)]


def _rows(*, plain: bool) -> list[Row]:
    way, found = "http" if plain else "https", []
    with tempfile.TemporaryDirectory() as folder, _town(Path(folder), plain=plain) as town:
        for copies in (1, BATCH):
            costs = _best(town, partial(_issue, copies=copies))
            per_card = {name: cost / copies for name, cost in costs.items()}
            name = f"flow {way} issue, {'single' if copies == 1 else f'batch of {copies}'}"
            ratio = None if copies > 1 else per_card["issuer"] / ISSUER_PEER_MS
            limit, ok = f"<= {PER_CREDENTIAL_MS:g} ms", per_card["issuer"] <= PER_CREDENTIAL_MS
            found.append(Row(f"{name}: issuer CPU per card", per_card["issuer"], "ms", PEER, ratio, limit, ok))
            found.append(Row(f"{name}: this wallet", per_card["wallet"], "ms", "-", None, None, ok=True))
        offer = _best(town, _offer)["issuer"]
        found.append(Row(f"flow {way} offer made at the desk: issuer CPU", offer, "ms", "-", None, None, ok=True))
        (wire,) = _redeem(town, _offered(town), [town.holder])
        card = Credential(sdjwt.ID, wire)  # shown again and again: what that costs does not depend on it
        for mode, peer in VERIFIER_PEER_MS.items():
            costs = _best(town, partial(_present, card=card, mode=mode))
            name = f"flow {way} ask, fetch, answer, result, {mode}"
            ratio = costs["verifier"] / peer
            found.append(Row(f"{name}: verifier CPU", costs["verifier"], "ms", PEER, ratio, None, ok=True))
            found.append(Row(f"{name}: this wallet", costs["wallet"], "ms", "-", None, None, ok=True))
    return found


def _best(town: Town, operation: Operation) -> dict[str, float]:
    """CPU ms for one operation by role, of the round in which all of it was least."""
    found = []
    for _ in range(ROUNDS):
        made = [operation(town) for _ in range(COUNT)]
        ready = [next(one) for one in made]  # up to what is to be measured
        for service in (town.issuer, town.verifier):
            service.settle(0.1)
        before = _spent(town)
        for one in made:
            if next(one, None) is not None:
                raise RuntimeError("an operation has two halves")
        after = _spent(town)
        found.append({name: (after[name] - before[name]) / len(ready) * 1000 for name in after})
    return {name: min(one[name] for one in found) for name in found[0]}


def _spent(town: Town) -> dict[str, float]:
    return {"issuer": town.issuer.cpu, "verifier": town.verifier.cpu, "wallet": time.process_time()}


def _offer(town: Town) -> Iterator[bool]:
    """Only the making of an offer, for a made-up person."""
    yield True
    _offered(town)


def _issue(town: Town, *, copies: int) -> Iterator[bool]:
    """From the offer's link to the card, in as many copies: offer, token, nonce, credential."""
    link = _offered(town)
    holders = [SoftwareSigner.generate("ES256") for _ in range(copies)]
    yield True
    if len(_redeem(town, link, holders)) != copies:
        raise RuntimeError("fewer credentials than keys")


def _present(town: Town, *, card: Credential, mode: str) -> Iterator[bool]:
    """From the relying party's question to its result: made, fetched, answered, read."""
    line = town.asking
    yield True
    body = json.dumps({"mode": mode, "query": "over-18"})
    made = json.loads(line.call("POST", "/control/request", body, JSON))
    uri = parse_qs(urlsplit(made["uri"]).query)["request_uri"][0]
    request = answering.read_request(line.call("GET", urlsplit(uri).path))
    shown = sdjwt.derive(
        card,
        disclose=Disclosure((("age_over_18",),)),
        challenge=oid4vp.challenge(request),
        holder=town.holder,
        now=datetime.now(UTC),
    )
    form = urlencode(oid4vp.respond(request, {"person": [shown.wire]}))
    line.call("POST", urlsplit(str(request.response_uri)).path, form, FORM)
    told = json.loads(line.call("GET", f"/control/result/{made['id']}"))
    if not told["verified"]:
        raise RuntimeError(f"not verified: {told}")


def _offered(town: Town) -> str:
    made = json.loads(town.receiving.call("POST", "/control/offer", json.dumps({"config": CARD}), JSON))
    (link,) = parse_qs(urlsplit(made["uri"]).query)["credential_offer_uri"]
    return link


def _redeem(town: Town, link: str, holders: list[SoftwareSigner]) -> list[str]:
    """What a wallet does that knows the issuer's metadata already."""
    line = town.receiving
    offer = json.loads(line.call("GET", urlsplit(link).path))
    code = offer["grants"][PRE_AUTHORIZED_CODE]["pre-authorized_code"]
    form = urlencode({"grant_type": PRE_AUTHORIZED_CODE, "pre-authorized_code": code})
    token = json.loads(line.call("POST", "/token", form, FORM))["access_token"]
    nonce = json.loads(line.call("POST", "/nonce", b""))["c_nonce"]
    now = datetime.now(UTC)
    proofs = [proof.make(signer=one, audience=town.issuer.base, nonce=nonce, now=now) for one in holders]
    body = json.dumps({"credential_configuration_id": CARD, "proofs": {"jwt": proofs}})
    headers: Mapping[str, str] = {**JSON, "Authorization": f"Bearer {token}"}
    answer = json.loads(line.call("POST", "/credential", body, headers))
    return [one["credential"] for one in answer["credentials"]]


@contextmanager
def _town(folder: Path, *, plain: bool) -> Iterator[Town]:
    """Both services on free ports, past the work of their start."""
    ports = {"issuer": free_port(), "verifier": free_port()}
    urls = {role: f"{'http' if plain else 'https'}://localhost:{port}" for role, port in ports.items()}
    bootstrap(folder, hosts=("localhost",), base_urls=urls, now=datetime.now(UTC))
    with ExitStack() as stack:
        running = {
            role: stack.enter_context(serve(role, folder, port, "--control", plain=plain))
            for role, port in ports.items()
        }
        for service in running.values():
            service.settle(0.5)
        issuer, verifier = running["issuer"], running["verifier"]
        yield Town(issuer, verifier, Line(issuer), Line(verifier), SoftwareSigner.generate("ES256"))
