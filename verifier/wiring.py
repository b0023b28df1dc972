"""From settings to a working verifier: certificates are read, keys and status lists connected, trust put together."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Engine

from ssi import haip, status
from ssi.errors import Refused
from ssi.fetch import BoundedFetch, Fetch
from ssi.formats import anyvc
from ssi.formats.typemetadata import Types
from ssi.issuerkeys import Keys, anchored
from ssi.issuerkeys.anchored import Anchored
from ssi.ledger.declared import of_file
from ssi.model import TrustPolicy
from ssi.trust import declared, iaca, policies, x509
from ssi.trust.declared import Declared
from verifier import identities
from verifier.asker import Asker
from verifier.identities import read_file
from verifier.onrecord import OnRecord
from verifier.sealing import Sealer, key_file
from verifier.sessions import Sessions
from verifier.settings import VerifierSettings
from verifier.store import Store
from verifier.verify import Verifier
from verifier.viewing import Spans


def sessions(settings: VerifierSettings, *, engine: Engine, fetch: Fetch, clock: Callable[[], datetime]) -> Sessions:
    """The requests of a verifier with these settings. Raises Malformed, Refused (`settings.*`, `trust.*`, `key.*`)."""
    named, known = declaration(settings, fetch=fetch), ledger(settings, fetch=fetch)
    trusted = issuers(settings, named, known)
    if settings.service.haip:
        trusted = haip.Certified(trusted)
    return Sessions(
        store=Store(engine),
        verifier=verifier(trusted, fetch=fetch, settings=settings, named=named, known=known),
        trust=trusted,
        asker=asker(settings),
        sealer=Sealer.from_key(key_file(settings.seal_key, random=secrets.token_bytes), random=secrets.token_bytes),
        spans=Spans(settings.lifetime, settings.retention, settings.memory),
        clock=clock,
        random=secrets.token_bytes,
        haip=settings.service.haip,
    )


def verifier(
    trusted: TrustPolicy,
    *,
    fetch: Fetch,
    settings: VerifierSettings,
    named: Declared = declared.NOTHING,
    known: Anchored | None = None,
) -> Verifier:
    """A verifier that finds keys and status lists through `fetch`; of types it knows only what this house describes.

    Fetching a description would tell its publisher when its credentials are shown (draft, "Issuer Phone-Home").
    Retired keys are found for presentations alone, where receipts are looked at, and never for lists.
    """
    found = Keys(fetch if known is None else known.sources)
    keys, age = named.keys(found), settings.status_max_age
    checker = status.Checker(
        fetch=fetch,
        keys=keys,
        trust=trusted,
        max_age=age,
        opener=anyvc.opener(keys),
        anchors=None if known is None else known.lists(required=settings.require_anchored_status),
    )
    if known is None:
        return Verifier(keys, checker, Types(None))
    return Verifier(named.keys(found.with_history()), checker, Types(None), OnRecord(known.records))


def issuers(settings: VerifierSettings, named: Declared, known: Anchored | None) -> TrustPolicy:
    """Who is trusted as an issuer. Accreditation on the ledger is one more way, or what there must be besides another.

    Raises as `trust`, and Refused (`settings.require_accreditation`) where nobody could be accredited.
    """
    accredited = None if known is None else known.accredited
    others = partial(trust, settings.anchors, listed(settings.trusted_issuers), settings.iacas)
    if not settings.require_accreditation:
        return others(policies.any_of((named.issuers, accredited)))
    if accredited is None:
        sentence = "--require-accreditation needs a --ledger with a TrustAnchor contract and accreditors."
        raise Refused("settings.require_accreditation", sentence)
    return policies.AllOf((others(named.issuers), accredited))


def ledger(settings: VerifierSettings, *, fetch: Fetch) -> Anchored | None:
    """The ledger that the settings name; nobody is asked yet.

    Raises Malformed, Unsupported (`settings.file`, `ledger.*`), Refused (`settings.require_anchored_status`).
    """
    path, folder = settings.ledger, settings.service.folder
    found = None
    if path is not None:
        here = folder if folder.is_dir() else None
        content = read_file(path)
        with of_file(path):
            found = anchored.known(content, fetch=fetch, folder=here, sleep=time.sleep, clock=time.monotonic)
    if settings.require_anchored_status and (found is None or found.ledger.anchor is None):
        sentence = "--require-anchored-status needs a --ledger with a TrustAnchor contract."
        raise Refused("settings.require_anchored_status", sentence)
    return found


def listed(issuers: Path | None) -> policies.Issuers | None:
    """The issuers that a JSON file names. Raises Malformed (`settings.file`, `trust.issuers`)."""
    return None if issuers is None else policies.read_issuers(read_file(issuers))


def declaration(settings: VerifierSettings, *, fetch: Fetch) -> Declared:
    """Whom a trust declaration names, whose files stand beside it. Raises Malformed (`settings.file`, `trust.*`)."""
    path = settings.trust
    if path is None:
        return declared.NOTHING
    return declared.read(read_file(path), open_file=lambda name: read_file(path.parent / name), fetch=fetch)


def trust(
    anchors: Path | None,
    issuers: policies.Issuers | None,
    iacas: Path | None = None,
    named: TrustPolicy | None = None,
) -> TrustPolicy:
    """Issuers certified by an authority in a PEM file, issuers named one by one, and states' document signers.

    `named` is what a trust declaration adds, for whatever types it says. Raises Refused (`settings.no_trust`) when
    there are none: a verifier that trusts nobody can verify nothing.
    """
    found: list[TrustPolicy] = []
    if anchors is not None:
        found.append(policies.Anchors(x509.read_certificates(read_file(anchors)), None))
    if issuers is not None:
        found.append(issuers)
    if not found and iacas is None and named is not None:
        return named
    if not found and iacas is None:
        sentence = "No issuer is trusted: name --issuer-anchors or --trusted-issuers, or run `facet-issuer bootstrap`."
        raise Refused("settings.no_trust", sentence)
    general = (found[0] if len(found) == 1 else policies.AnyOf(tuple(found))) if found else None
    if general is not None and iacas is None:
        return policies.any_of((general, named)) or general
    states = iaca.beside(general, () if iacas is None else x509.read_certificates(read_file(iacas)))
    return policies.any_of((states, named)) or states


def asker(settings: VerifierSettings) -> Asker:
    """Who asks. Raises Malformed, Refused (`settings.*`, `trust.*`, `key.*`, `haip.*`)."""
    names = identities.identities(settings)
    if settings.service.haip:
        if settings.prefixes != ("x509_hash",):
            raise haip.refusal(
                "client_id_prefix", "A verifier goes by the hash of its certificate and nothing else", "5"
            )
        haip.check_chain(names[0].x5c, section="5")
    return Asker(
        base_url=settings.service.base_url,
        origin=settings.service.origin,
        identities=names,
        scan_link=settings.wallet_link,
        here_link=settings.wallet_url,
        fetched_by=settings.fetched_by,
        by_browser=settings.by_browser,
        info=identities.info(settings),
    )


def check(settings: VerifierSettings) -> None:
    """Read everything once, so that mistakes end the start and not the first request. Raises SsiError.

    The ledger's nodes are asked as well: another chain, or another contract than declared, ends the start; a ledger
    that is away does not.
    """
    service = settings.service
    ca_file = str(service.ca_file) if service.ca_file else None
    network = BoundedFetch(allow_loopback=service.allow_loopback, ca_file=ca_file)
    named, known = declaration(settings, fetch=network), ledger(settings, fetch=network)
    issuers(settings, named, known)
    asker(settings)
    if known is not None:
        known.check_at_start()
