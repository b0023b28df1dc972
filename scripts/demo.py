"""`make demo`: three services, one person, one request, and six attempts to cheat. Exit 0 only if all went as said."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

import httpx

from scripts import rogue
from scripts.cast import (
    PORTRAIT,
    SELFIE,
    Cast,
    Counter,
    Desk,
    NotAsSaid,
    Teller,
    Wallet,
    ask_and_share,
    clients,
    explain,
    names,
)
from scripts.ledgerscenes import cut_log, recorded, rotated, stolen_key
from scripts.town import NotStarted, free_ports, running
from tests.faces import impostor

STATUS_TTL_SECONDS = 10
"""How long verifiers may keep the status list here (the desk says 60 by default; 10 is the least that they follow)."""

NO_RECEIPTS = {
    "VerifiedPersonBbs": "no receipt, by design: it would link two showings, which have nothing in common otherwise",
    "VerifiedPersonMdoc": "no receipt: it is signed with the desk's certificate, and that is no identity on the ledger",
}
"""Why the ledger has nothing to say of these cards (docs/adr/0018)."""


def main() -> int:
    """Run the demo; 0 when all happened as announced, 1 when something did not, 3 when a service did not start."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--keep", action="store_true", help="keep the folder with keys, databases and logs")
    keep = options.parse_args().keep
    directory = Path(tempfile.mkdtemp(prefix="facet-demo-"))
    teller = Teller()
    print("Facet demo: an issuing desk, a wallet and a verifier, as three processes on this machine.")
    try:
        play(directory, teller)
    except (NotAsSaid, httpx.HTTPError) as failure:
        print(f"\nNOT AS SAID: {failure}\nLogs are in {directory}.", file=sys.stderr)
        return 1
    except NotStarted as failure:
        print(f"\n{failure}\nLogs are in {directory}.", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        print("\nStopped, and the services with it.", file=sys.stderr)
        shutil.rmtree(directory, ignore_errors=True)
        return 130
    print(f"\nAll {teller.step_number} steps happened as said, in {time.monotonic() - teller.started:.0f} s.")
    print("`make serve` leaves the three services up for your own browser.")
    if keep:
        print(f"Kept: {directory}")
    else:
        shutil.rmtree(directory)
    return 0


def play(directory: Path, teller: Teller) -> None:
    """The main job, then the refusals. Raises NotAsSaid."""
    teller.step("Start the three services, each with its own keys and database, over TLS")
    ports = free_ports()
    environment = {"FACET_ISSUER_STATUS_TTL": str(STATUS_TTL_SECONDS)}
    with running(directory, ports, environment=environment) as town:
        for role, url in town.urls.items():
            teller.say(f"{role:9}{url}")
        with clients(town) as new_client:

            def new_wallet() -> Wallet:
                return Wallet(town, new_client())

            cast = Cast(town, Desk(town, new_client()), new_wallet(), Counter(town, new_client()), new_wallet)
            for scene in SCENES:
                scene(teller, cast)
    teller.step("Stop the services")
    teller.check(
        all(process.returncode == 0 for process in town.processes.values()), "each ended cleanly when asked to"
    )


def enrol(teller: Teller, cast: Cast) -> None:
    """Document portrait against selfie, at the desk."""
    teller.step("At the desk: compare the portrait in a document with a selfie")
    decision = cast.desk.apply(PORTRAIT, SELFIE)
    teller.check(decision["decision"] == "approved", "the desk accepts: the same face")
    match = decision["evidence"]["biometricMatch"]
    teller.say(
        f"evidence kept: a match in the error band {match['confidenceBand']} (false accepts, on public photographs)"
    )
    teller.say(f"evidence kept: liveness {decision['evidence']['liveness']['method']}")
    teller.say("not kept: the portrait, the selfie, the face template, the score")
    cast.application = decision["id"]


def hold(teller: Teller, cast: Cast) -> None:
    """Offer, redeem, check, keep."""
    teller.step("Offer the credential; the person opens it in their wallet and types the code from the desk")
    offer = cast.desk.offer(cast.application)
    cast.wallet.post("/signup", name="Eileen", passphrase=cast.passphrase)
    opened = cast.wallet.open(offer["offer_uri"])
    teller.say(f"the wallet shows who offers: {opened['offer']['issuer']['name']}")
    kept = cast.wallet.post(f"/offers/{opened['offer']['id']}/accept", tx_code=offer["tx_code"])
    for finding in kept["offer"]["cards"][0]["findings"]:
        teller.say(f"{finding['outcome']:9} {finding['detail']}")
    recorded(teller, cast, cast.wallet)
    cards = cast.wallet.get("/cards")["cards"]
    teller.check(len(cards) == 1, "the wallet checked what arrived, then kept it: one card")
    cast.credential = cast.desk.credentials()[0]["id"]


def present(teller: Teller, cast: Cast) -> None:
    """Ask for one thing, receive one thing."""
    teller.step("At a counter: the verifier asks only whether the person is over 18")
    result = ask_and_share(teller, cast, wallet=cast.wallet, show=True)
    cast.first_shown = time.monotonic()
    for finding in result["findings"]:
        teller.say(f"{finding['outcome']:9} {finding['detail']}")
    teller.check(result["verdict"] == "verified", "verdict: Verified")
    teller.check(
        any(finding["code"] == "ledger.on_record" for finding in result["findings"]),
        "the ledger has the card on record",
    )
    teller.check(names(result["claims"]) == {"age_over_18"}, "the verifier received age_over_18 and nothing else")


def other_forms(teller: Teller, cast: Cast) -> None:
    """The same question, answered with the same facts in the other two forms of the card."""
    for kind, name in (
        ("VerifiedPersonCredential", "a W3C credential"),
        ("VerifiedPersonBbs", "a W3C credential (BBS)"),
        ("VerifiedPersonMdoc", "an mdoc"),
    ):
        teller.step(f"The same card as {name}: issued, held, and asked the same question")
        offer = cast.desk.offer(cast.desk.apply(PORTRAIT, SELFIE)["id"], kind=kind)
        wallet = cast.new_wallet()
        wallet.post("/signup", name=f"Eileen with {name}", passphrase=cast.passphrase)
        opened = wallet.open(offer["offer_uri"])
        wallet.post(f"/offers/{opened['offer']['id']}/accept", tx_code=offer["tx_code"])
        if kind in NO_RECEIPTS:
            teller.say(NO_RECEIPTS[kind])
        else:
            recorded(teller, cast, wallet)
        teller.check(len(wallet.get("/cards")["cards"]) == 1, "the wallet checked what arrived, then kept it")
        result = ask_and_share(teller, cast, wallet=wallet, show=True)
        for finding in result["findings"]:
            teller.say(f"{finding['outcome']:9} {finding['detail']}")
        teller.check(result["verdict"] == "verified", "verdict: Verified")


def another_face(teller: Teller, cast: Cast) -> None:
    """Refusal 1."""
    teller.step("Refused: another person's selfie with the same document")
    try:
        stranger = impostor.portrait()
    except impostor.NotBrought as reason:
        raise NotAsSaid(f"another person's portrait could be fetched: {reason}") from reason
    decision = cast.desk.apply(PORTRAIT, stranger)
    teller.say("; ".join(reason["detail"] for reason in decision["reasons"]))
    teller.check(decision["decision"] == "declined", "the desk refuses")
    teller.check(
        any(reason["code"] == "face.below_threshold" for reason in decision["reasons"]), "because the faces differ"
    )


def altered_claim(teller: Teller, cast: Cast) -> None:
    """Refusal 2."""
    teller.step("Refused: a dishonest wallet changes the family name it discloses")
    offer = cast.desk.offer(cast.desk.apply(PORTRAIT, SELFIE)["id"])
    loot = rogue.claim(cast.counter.http, offer["offer_uri"], offer["tx_code"])
    created = cast.counter.ask("identity", response_mode="direct_post")
    request = rogue.asked(cast.counter.http, created["request_uri"])
    honest = rogue.present(loot, request, (("given_name",), ("family_name",), ("birthdate",)))
    lie = rogue.with_altered_claim(honest, "family_name", "Earhart", loot, request)
    rogue.answer(cast.counter.http, request, lie)
    result = cast.counter.result(created["id"])
    explain(teller, result)
    teller.check(result["verdict"] == "not_verified", "verdict: Not verified")
    teller.check(
        "claims" not in result or result["claims"] is None, "and the claims of a refused presentation stay shut"
    )
    cast.loot = loot


def replay(teller: Teller, cast: Cast) -> None:
    """Refusal 3."""
    teller.step("Refused: the same response sent twice, and sent to another request")
    loot = cast.loot
    if loot is None:
        raise NotAsSaid("the dishonest wallet has a credential")
    created = cast.counter.ask("over-18", response_mode="direct_post")
    request = rogue.asked(cast.counter.http, created["request_uri"])
    response = rogue.present(loot, request, (("age_over_18",),))
    rogue.answer(cast.counter.http, request, response)
    teller.check(cast.counter.result(created["id"])["verdict"] == "verified", "the first time it is good")
    again = rogue.answer(cast.counter.http, request, response)
    teller.say(f"HTTP {again.status_code}: {again.json().get('error_description')}")
    teller.check(again.is_client_error, "the second time it is refused")
    teller.check(cast.counter.result(created["id"])["verdict"] == "verified", "and the first verdict is untouched")
    other = cast.counter.ask("over-18", response_mode="direct_post")
    rogue.answer(cast.counter.http, rogue.asked(cast.counter.http, other["request_uri"]), response)
    result = cast.counter.result(other["id"])
    explain(teller, result)
    teller.check(result["verdict"] == "not_verified", "in answer to another request it is not verified")


def revoked(teller: Teller, cast: Cast) -> None:
    """Refusal 4."""
    teller.step("Refused: the desk has revoked the credential")
    cast.desk.revoke(cast.credential)
    teller.say(f"verifiers may keep a status list for {STATUS_TTL_SECONDS} s here; waiting that long ...")
    time.sleep(STATUS_TTL_SECONDS + 1)
    result = ask_and_share(teller, cast, wallet=cast.wallet, show=False)
    explain(teller, result)
    teller.check(result["verdict"] == "not_verified", "verdict: Not verified")
    codes = {finding["code"] for finding in result["findings"] if finding["outcome"] == "fail"}
    teller.check(codes == {"status.revoked"}, "for that reason alone")


SCENES = (
    *(enrol, hold, present, other_forms, rotated),
    *(another_face, altered_claim, replay, revoked, stolen_key, cut_log),
)

if __name__ == "__main__":
    raise SystemExit(main())
