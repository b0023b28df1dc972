"""From settings to a working verifier: certificates are read, keys and status lists connected, trust put together."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from ssi import oid4vp, status
from ssi.errors import Malformed, Refused
from ssi.fetch import Fetch
from ssi.formats import anyvc
from ssi.formats.typemetadata import Types
from ssi.issuerkeys import Keys
from ssi.keys import SoftwareSigner
from ssi.model import TrustPolicy
from ssi.trust import iaca, policies, x509
from verifier.asker import Asker
from verifier.sealing import Sealer, key_file
from verifier.sessions import Sessions, Spans
from verifier.settings import VerifierSettings
from verifier.store import Store
from verifier.verify import Verifier


def sessions(settings: VerifierSettings, *, engine: Engine, fetch: Fetch, clock: Callable[[], datetime]) -> Sessions:
    """The requests of a verifier with these settings. Raises Malformed, Refused (`settings.*`, `trust.*`, `key.*`)."""
    trusted = trust(settings.anchors, listed(settings.trusted_issuers), settings.iacas)
    return Sessions(
        store=Store(engine),
        verifier=verifier(trusted, fetch=fetch, settings=settings),
        trust=trusted,
        asker=asker(settings),
        sealer=Sealer.from_key(key_file(settings.seal_key, random=secrets.token_bytes), random=secrets.token_bytes),
        spans=Spans(settings.lifetime, settings.retention, settings.memory),
        clock=clock,
        random=secrets.token_bytes,
    )


def verifier(trusted: TrustPolicy, *, fetch: Fetch, settings: VerifierSettings) -> Verifier:
    """A verifier that finds keys and status lists through `fetch`; of types it knows only what this house describes.

    Fetching a description would tell its publisher when its credentials are shown (draft, "Issuer Phone-Home").
    """
    keys = Keys(fetch)
    opener, age = anyvc.opener(keys), settings.status_max_age
    checker = status.Checker(fetch=fetch, keys=keys, trust=trusted, max_age=age, opener=opener)
    return Verifier(keys, checker, Types(None))


def listed(issuers: Path | None) -> policies.Issuers | None:
    """The issuers that a JSON file names. Raises Malformed (`settings.file`, `trust.issuers`)."""
    return None if issuers is None else policies.read_issuers(read_file(issuers))


def trust(anchors: Path | None, issuers: policies.Issuers | None, iacas: Path | None = None) -> TrustPolicy:
    """Issuers certified by an authority in a PEM file, issuers named one by one, and states' document signers.

    Raises Refused (`settings.no_trust`) when there are none: a verifier that trusts nobody can verify nothing.
    """
    found: list[TrustPolicy] = []
    if anchors is not None:
        found.append(policies.Anchors(x509.read_certificates(read_file(anchors)), None))
    if issuers is not None:
        found.append(issuers)
    if not found and iacas is None:
        sentence = "No issuer is trusted: name --issuer-anchors or --trusted-issuers, or run `facet-issuer bootstrap`."
        raise Refused("settings.no_trust", sentence)
    general = (found[0] if len(found) == 1 else policies.AnyOf(tuple(found))) if found else None
    if general is not None and iacas is None:
        return general
    return iaca.beside(general, () if iacas is None else x509.read_certificates(read_file(iacas)))


def asker(settings: VerifierSettings) -> Asker:
    """Who asks, by the access certificate. Raises Malformed, Refused (`settings.access_key`)."""
    chain = x509.read_certificates(read_file(settings.access_cert))
    signer = SoftwareSigner.from_pkcs8(read_file(settings.access_key))
    leaf = x509.leaf(chain)
    if leaf.public != signer.public:
        raise Refused("settings.access_key", "--access-key is not the key of the certificate in --access-cert.")
    return Asker(
        client_id=_client_id(settings, chain, leaf),
        name=settings.name,
        signer=signer,
        x5c=chain,
        base_url=settings.service.base_url,
        scan_link=settings.wallet_link,
        here_link=settings.wallet_url,
    )


def _client_id(settings: VerifierSettings, chain: tuple[bytes, ...], leaf: x509.Leaf) -> str:
    """OpenID4VP 1.0 §5.9.3: by the certificate's hash (HAIP 1.0 §5), or by the DNS name in it."""
    if settings.prefix == "x509_hash":
        return oid4vp.x509_hash_client_id(chain[0])
    host = settings.service.base_url.partition("://")[2].partition("/")[0].partition(":")[0].lower()
    if host not in leaf.dns_names:
        raise Refused("settings.access_cert", "The certificate in --access-cert does not name the host of --base-url.")
    return f"x509_san_dns:{host}"


def read_file(path: Path) -> bytes:
    """A file that settings name. Raises Malformed (`settings.file`) when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError:
        sentence = f"{path} cannot be read; `facet-issuer bootstrap` makes what is missing."
        raise Malformed("settings.file", sentence) from None


def check(settings: VerifierSettings) -> None:
    """Read everything once, so that mistakes end the start and not the first request. Raises SsiError."""
    trust(settings.anchors, listed(settings.trusted_issuers), settings.iacas)
    asker(settings)
