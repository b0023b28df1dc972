"""What is the ledger for? The demo's scenes in which it tells an old card from a forged one."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from scripts import rogue
from scripts.cast import PORTRAIT, SELFIE, Cast, NotAsSaid, Teller, Wallet, ask_and_share, explain
from ssi.keys import SoftwareSigner

DESKS_FILES: Final = ("issuer/signing.key", "issuer/signing.pem", "issuer/did.jsonl")
_PATIENCE: Final = 20.0
"""Seconds for anchoring and for the wallet's question; both take less than one each."""
_LOOKED_UP: Final = 11.0
"""Seconds after which a verifier that meets a new key looks at a DID again."""
_FORGED: Final = {"given_name": "Nobody", "family_name": "Inparticular", "age_over_18": True}


def recorded(teller: Teller, cast: Cast, wallet: Wallet) -> None:
    """Wait until the wallet has its card's receipt from the ledger."""
    _until(lambda: cast.desk.record()["waiting"] == 0, "the desk writes what it has issued to the ledger")
    card = wallet.get("/cards")["cards"][0]["id"]  # looking at one's cards makes the wallet ask for receipts
    said = _until(lambda: _receipt_of(wallet, card), "the wallet has its receipt")
    teller.check(True, f"the card in the wallet: {said}")


def rotated(teller: Teller, cast: Cast) -> None:
    """The desk has a new key; what the old one signed before is good."""
    teller.step("The desk replaces its signing key; the card from before still verifies")
    cast.stolen = {name: (cast.town.directory / name).read_bytes() for name in DESKS_FILES}  # a thief was there before
    told = cast.town.issuer_command("rotate-key")
    version = str(told["version"]).partition("-")[0]
    teller.say(f"`facet-issuer rotate-key`: version {version} of the desk's DID has a new key, and no longer the old")
    teller.check(not told["ledger"]["problems"], "the ledger has that version")
    time.sleep(max(0.0, cast.first_shown + _LOOKED_UP - time.monotonic()))
    cast.loot = _new_card(cast)
    fresh = _show(cast, cast.loot)
    teller.check(fresh["verdict"] == "verified", "a card issued now has the new key, and is verified")
    result = ask_and_share(teller, cast, wallet=cast.wallet, show=False)
    teller.say("{outcome:9} {detail}".format_map(_on_ledger(result)))
    teller.check(result["verdict"] == "verified", "so is the card from before")
    teller.check(
        _on_ledger(result)["code"] == "ledger.before_retirement",
        "because the ledger has had it since before the key was replaced",
    )


def stolen_key(teller: Teller, cast: Cast) -> None:
    """Refused: whoever has the old key can write any date, but not into the ledger."""
    teller.step("Refused: a thief signs a card with the desk's old key, and dates it before the change")
    result = _show_forged(cast)
    explain(teller, result)
    _is_refused(teller, result, "ledger.retired_key")


def cut_log(teller: Teller, cast: Cast) -> None:
    """Refused: the desk's web site says that the old key is still the present one."""
    teller.step("Refused: the thief holds the desk's web site, too, and serves its DID as it was before the change")
    cast.town.stop("issuer")
    cast.town.stop("verifier")
    newest = {name: (cast.town.directory / name).read_bytes() for name in DESKS_FILES}
    _put(cast.town.directory, cast.stolen)
    cast.town.start("issuer", "verifier")
    teller.say("nothing there contradicts the forged card, and this verifier, started anew, has never met the desk")
    result = _show_forged(cast)
    explain(teller, result)
    _is_refused(teller, result, "did.webvh_truncated")
    _put(cast.town.directory, newest)


def _new_card(cast: Cast) -> rogue.Loot:
    """A card from the desk, in the hands of somebody who keeps its key in the open."""
    offer = cast.desk.offer(cast.desk.apply(PORTRAIT, SELFIE)["id"])
    return rogue.claim(cast.counter.http, offer["offer_uri"], offer["tx_code"])


def _show_forged(cast: Cast) -> dict[str, Any]:
    """What the verifier says of a card that the desk never made."""
    if cast.loot is None:
        raise NotAsSaid("the dishonest wallet has a credential to copy from")
    key = SoftwareSigner.from_pkcs8(cast.stolen["issuer/signing.key"])
    return _show(cast, rogue.forge(cast.loot, key, claims=_FORGED, at=datetime.now(UTC) - timedelta(days=1)))


def _show(cast: Cast, loot: rogue.Loot) -> dict[str, Any]:
    created = cast.counter.ask("over-18", response_mode="direct_post")
    request = rogue.asked(cast.counter.http, created["request_uri"])
    rogue.answer(cast.counter.http, request, rogue.present(loot, request, (("age_over_18",),)))
    return cast.counter.result(created["id"])


def _is_refused(teller: Teller, result: dict[str, Any], code: str) -> None:
    teller.check(result["verdict"] == "not_verified", "verdict: Not verified")
    codes = {finding["code"] for finding in result["findings"] if finding["outcome"] == "fail"}
    teller.check(codes == {code}, f"for that reason alone ({code})")


def _on_ledger(result: dict[str, Any]) -> dict[str, Any]:
    found = [finding for finding in result["findings"] if finding["check"] == "ledger"]
    if len(found) != 1:
        raise NotAsSaid("the verifier says what the ledger says")
    return dict(found[0])


def _receipt_of(wallet: Wallet, card: str) -> str:
    said = str(wallet.get(f"/cards/{card}")["card"]["recorded"])
    return said if said.startswith("Recorded") else ""


def _put(directory: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (directory / name).write_bytes(content)


def _until(look: Any, expectation: str) -> Any:
    """Look again and again until there is something. Raises NotAsSaid."""
    deadline = time.monotonic() + _PATIENCE
    while not (found := look()):
        if time.monotonic() > deadline:
            raise NotAsSaid(expectation)
        time.sleep(0.1)
    return found
