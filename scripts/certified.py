"""The scenes of `make certification`: how is each plan of the suite configured, and who clicks what?"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from scripts.cast import Wallet
from scripts.stage import House, Stage
from scripts.suite import Module, Plan
from scripts.town import BIN

PID = "urn:eudi:pid:1"
CARD = "urn:facet:credential:verified-person:1"
GOOD = ("happy", "minimal-cnf", "request-uri", "unusable", "fewer", "optional", "no-claims", "multisigned-one")
"""Words in the names of presentation modules that end well; what the others bring must be refused."""

_EVIDENCE = {
    "match": "https://*/test/a/*/verification-evidence",
    "tasks": [
        {
            "task": "Capture verification evidence",
            "match": "https://*/test/a/*/verification-evidence",
            "commands": [
                ["wait", "xpath", "//*", 10, ".*Deferred verification evidence.*", "update-image-placeholder"]
            ],
        }
    ],
}
"""The suite wants a screenshot of our page; its own page of evidence stands in, and the script reads our verdict."""


_ISSUANCE = {
    "fapi_profile": "vci",
    "sender_constrain": "dpop",
    "client_auth_type": "client_attestation",
    "fapi_request_method": "unsigned",
    "authorization_request_type": "simple",
    "vci_grant_type": "authorization_code",
    "vci_credential_encryption": "plain",
}
"""How the plain issuance plans are run, whichever side is ours; the HAIP plans have these choices built in."""


def _query(vct: str) -> dict[str, Any]:
    claims = [{"path": ["given_name"]}, {"path": ["family_name"]}]
    return {"credentials": [{"id": "pid", "format": "dc+sd-jwt", "meta": {"vct_values": [vct]}, "claims": claims}]}


# --- our verifier, their wallet ---------------------------------------------------------------------------------------


def verifier(stage: Stage) -> None:
    """The verifier plans: the suite is the wallet, we ask, and our verdict must be the right one."""
    plain, haip = "oid4vp-1final-verifier-test-plan", "oid4vp-1final-verifier-haip-test-plan"
    signed = {"request_method": "request_uri_signed", "vp_profile": "plain_vp"}
    for name, prefix, mode, variant, profile in (
        (plain, "x509_san_dns", "direct_post", signed, "open"),
        (plain, "x509_hash", "direct_post.jwt", signed, "open"),
        (haip, "x509_hash", "direct_post.jwt", {}, "haip"),
    ):
        environment = {"FACET_VERIFIER_CLIENT_ID_PREFIX": prefix, "FACET_VERIFIER_PROFILE": profile}
        with stage.town(environment) as town:
            config = {
                "alias": "facet-verifier",
                "client": {"client_id": "localhost", "request_object_trust_anchor_pem": town.pem("relying-party-ca")},
                "credential": {"signing_jwk": town.signing_jwk("issuer-ca", "An issuer")},
                "browser": [_EVIDENCE],
            }
            whole = {"credential_format": "sd_jwt_vc", "response_mode": mode, **variant}
            if name == plain:
                whole["client_id_prefix"] = prefix
            plan = Plan(f"{profile}, {prefix}, {mode}", name, whole, config, pictures=False)
            stage.run(plan, _Asker(stage, town, mode))


@dataclass(frozen=True)
class _Asker:
    stage: Stage
    town: House
    mode: str

    def __call__(self, run: str, module: Module) -> str | None:
        """Ask, hand the link to the suite's wallet, and compare our verdict with what the module deserves."""
        home = f"{self.town.urls['verifier']}/"
        body = {"dcql_query": _query(PID), "title": "Certification", "response_mode": self.mode, "redirect_uri": home}
        made = self.town.api("POST", "/api/requests", body)
        wallet = str(self.stage.suite.runner(run)["exposed"]["authorization_endpoint"])
        query = str(made["same_device_link"]).partition("?")[2]
        if "method-post" in module.name and "request_uri_method" not in query:
            query += "&request_uri_method=post"
        back = self.stage.suite.http.get(f"{wallet}?{query}").headers.get("Location", "")
        code = urlsplit(back).query if back.startswith(home) else ""  # HAIP 1.0 §5.1: the person is led back
        told = self.town.api("GET", f"/api/requests/{made['id']}?{code}")
        wanted = "verified" if any(word in module.name for word in GOOD) else "not_verified"
        if told.get("verdict") == wanted:
            return None
        return f"our verifier said {told.get('verdict') or told.get('state')}: {told.get('findings')}"[:600]


# --- our wallet, their verifier ---------------------------------------------------------------------------------------


def wallet(stage: Stage) -> None:
    """The wallet plans of OpenID4VP: the suite asks, our person looks and shares, or our wallet refuses."""
    plain, haip = "oid4vp-1final-wallet-test-plan", "oid4vp-1final-wallet-haip-test-plan"
    for name, prefix, method, mode, profile in (
        (plain, "x509_san_dns", "request_uri_signed", "direct_post", "open"),
        (plain, "x509_hash", "request_uri_signed", "direct_post.jwt", "open"),
        (plain, "redirect_uri", "url_query", "direct_post.jwt", "open"),
        (plain, "x509_hash", "request_uri_multisigned", "dc_api.jwt", "open"),
        (plain, "web-origin", "request_uri_unsigned", "dc_api", "open"),
        (haip, "x509_hash", "", "direct_post.jwt", "haip"),
        (haip, "x509_hash", "", "dc_api.jwt", "haip"),
    ):
        with stage.town({"FACET_WALLET_PROFILE": profile}) as town:
            person = town.person()
            config = {
                "alias": "facet-wallet",
                "server": {"authorization_endpoint": f"{town.urls['wallet']}/authorize"},
                "client": {
                    "client_id": "localhost",
                    "dcql": _query(CARD),
                    "jwks": {"keys": [town.signing_jwk("relying-party-ca", "A shop")]},
                },
                "client2": {"jwks": {"keys": [town.signing_jwk("relying-party-ca", "Another shop")]}},
                "credential": {
                    "trust_anchor_pem": town.pem("issuer-ca"),
                    "status_list_trust_anchor_pem": town.pem("issuer-ca"),
                },
            }
            variant = {"credential_format": "sd_jwt_vc", "response_mode": mode}
            if name == plain:
                variant |= {"client_id_prefix": prefix, "request_method": method, "vp_profile": "plain_vp"}
            title, play = f"{profile}, {method or 'every method'}, {prefix}, {mode}", _Holder(stage, town, person)
            # Without a request_uri the suite does not notice that a wallet has looked, and waits for refusals in vain.
            words = GOOD if method == "url_query" else ()
            stage.run(Plan(title, name, variant, config, words), play)


def _picks(screen: Mapping[str, Any]) -> dict[str, str]:
    """The first card for each question of what is required, as the page's form would send it."""
    found = {}
    for part in screen["parts"]:
        for question in part["options"][0] if part.get("required", True) and part["options"] else ():
            if question["choices"]:
                found[f"pick.{question['id']}"] = str(question["choices"][0]["card"])
    return found if any(len(q["choices"]) > 1 for p in screen["parts"] for o in p["options"] for q in o) else {}


@dataclass(frozen=True)
class _Holder:
    stage: Stage
    town: House
    person: Wallet

    def __call__(self, run: str, module: Module) -> str | None:
        """Open what the suite wants visited, share where the module is a good one, and follow the way back."""
        good = any(word in module.name for word in GOOD)
        calls = self.stage.suite.runner(run)["browser"].get("browserApiRequests") or ()
        for call in calls:
            return self._page(call, good=good)
        try:
            screen = self._open(run)
            if screen is None:
                return "the suite asked for nothing"
            if "non-matching" in module.name:
                self.person.post(f"/requests/{screen['id']}/decline")
                return None
            told = self.person.post(f"/requests/{screen['id']}/share", **_picks(screen))
        except AssertionError as refusal:
            return f"the wallet refused: {refusal}"[:400] if good else None
        onward = told.get("request", told).get("redirect_uri") or told.get("next")
        if isinstance(onward, str) and onward.startswith(self.stage.suite.url):
            self.stage.visit(onward)
        return None if good else "the wallet shared what it should have refused"

    def _page(self, call: Mapping[str, Any], *, good: bool) -> str | None:
        """What a page asks through the browser goes to the wallet by its command line, and back to the page."""
        request = call["request"].get("digital", call["request"])["requests"][0]
        command = [str(BIN / "facet-wallet"), "answer-dc", "-", "--origin", self.stage.suite.url, "--account", "Eileen"]
        command += ["--passphrase-file", str(self.town.folder / "passphrase"), "--data", str(self.town.folder), "--yes"]
        command += ["--base-url", self.town.urls["wallet"], "--allow-loopback"]
        done = subprocess.run(command, input=json.dumps(request), capture_output=True, text=True, check=False)
        if done.returncode == 0:
            self.stage.suite.http.post(str(call["submitUrl"]), json=json.loads(done.stdout))
            return None if good else "the wallet shared what it should have refused"
        if done.stdout and not good:  # a wallet that refuses tells the page no more than an error
            refusal = {"exception": {"name": "OperationError", "message": "refused"}}
            self.stage.suite.http.post(str(call["submitUrl"]), json=refusal)
        return f"the wallet refused: {done.stderr[-400:]}" if good else None

    def _open(self, run: str) -> dict[str, Any] | None:
        browser = self.stage.suite.runner(run)["browser"]
        urls = [*browser.get("urls", []), *browser.get("visited", [])]
        if not urls:
            return None
        self.stage.suite.visited(run, urls[-1])
        return dict(self.person.open(urls[-1])["request"])


# --- our issuer, their wallet -----------------------------------------------------------------------------------------


def issuer(stage: Stage) -> None:
    """The issuer plans: the suite is the wallet, and the applicant signs in at our desk's page."""
    plain, haip = "oid4vci-1_0-issuer-test-plan", "oid4vci-1_0-issuer-haip-test-plan"
    for name, profile in ((plain, "open"), (haip, "haip")):
        with stage.town({"FACET_ISSUER_PROFILE": profile, "FACET_ISSUER_KEY_ATTESTATION": "on"}) as town:
            attester = {"keys": [town.signing_jwk("wallet-provider-ca", "A wallet's provider")]}
            config = {
                "alias": "facet-issuer",
                "vci": {"credential_issuer_url": town.urls["issuer"], "credential_configuration_id": "VerifiedPerson"},
                "client": {"client_id": "https://wallet.example", "jwks": {"keys": [town.loose_jwk()]}},
                "client2": {"client_id": "https://another.example", "jwks": {"keys": [town.loose_jwk()]}},
                "client_attestation": {
                    "issuer": "https://provider.example",
                    "attester_jwks": attester,
                    "key_attestation_jwks": attester,
                },
                "credential": {
                    "trust_anchor_pem": town.pem("issuer-ca"),
                    "status_list_trust_anchor_pem": town.pem("issuer-ca"),
                },
            }
            variant = {"credential_format": "sd_jwt_vc", "vci_authorization_code_flow_variant": "wallet_initiated"}
            if name == plain:
                variant |= {**_ISSUANCE, "fapi_response_mode": "plain_response", "openid": "plain_oauth"}
            stage.run(Plan(f"{profile}, authorization code", name, variant, config), _Applicant(stage, town))


@dataclass(frozen=True)
class _Applicant:
    stage: Stage
    town: House

    def __call__(self, run: str, module: Module) -> str | None:
        """Sign in wherever the suite sends its browser, until the module is over."""
        visits, patience = 0, 180 if "expired" in module.name else 60
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if str(self.stage.suite.status(run)["status"]) in {"FINISHED", "INTERRUPTED"}:
                return None
            for url in self.stage.suite.runner(run)["browser"]["urls"]:
                self.stage.suite.visited(run, url)
                self._visit(url, module, first=visits == 0)
                visits += 1
            self.stage.suite.attest(run)
            time.sleep(0.3)
        return f"the module did not end within {patience} s"

    def _visit(self, url: str, module: Module, *, first: bool) -> None:
        """Follow the pages as the applicant, and go back to the suite where our desk sends us."""
        answer = "refuse" if "user-rejects" in module.name else "allow"
        with self.town.client() as browser:
            page = browser.get(url)
            if "prior-to-auth" in module.name and first:  # the person looks, and comes back later
                return
            onward = page.headers.get("Location", "")
            if page.status_code == 200 and 'name="reference"' in page.text:
                reference, code = self.town.applicant()
                page = browser.post(str(page.url), data={"reference": reference, "code": code})
            if "/authorize/allow" in page.text:
                page = browser.post(f"{self.town.urls['issuer']}/authorize/{answer}")
                onward = page.headers.get("Location", "")
        if onward.startswith(self.stage.suite.url):
            self.stage.visit(onward)


# --- our wallet, their issuer -----------------------------------------------------------------------------------------


def receiver(stage: Stage) -> None:
    """The wallet plans of OpenID4VCI: the suite issues, our person adds its card."""
    plain, haip = "oid4vci-1_0-wallet-test-plan", "oid4vci-1_0-wallet-haip-test-plan"
    for name, profile in ((plain, "open"), (haip, "haip")):
        with stage.town({"FACET_WALLET_PROFILE": profile}) as town:
            url = town.urls["wallet"]
            config = {
                "alias": "facet-receiver",
                "server": {"jwks": {"keys": [town.signing_jwk("issuer-ca", "An issuer")]}},
                "client": {"client_id": url, "redirect_uri": f"{url}/authorized", "jwks": {"keys": []}},
                "credential": {"signing_jwk": town.signing_jwk("issuer-ca", "An issuer")},
                "client_attestation": {
                    "issuer": url,
                    "trust_anchor": town.pem("wallet-provider-ca"),
                    "key_attestation_trust_anchor_pem": town.pem("wallet-provider-ca"),
                },
            }
            variant = {
                "credential_format": "sd_jwt_vc",
                "vci_authorization_code_flow_variant": "wallet_initiated",
                "vci_credential_offer_variant": "by_value",
            }
            if name == plain:
                variant |= {**_ISSUANCE, "vci_credential_issuance_mode": "immediate"}
            plan = Plan(f"{profile}, wallet initiated", name, variant, config)
            stage.run(plan, _Receiver(stage, town, town.visitor()))


@dataclass(frozen=True)
class _Receiver:
    stage: Stage
    town: House
    person: Wallet

    def __call__(self, run: str, module: Module) -> str | None:
        """Add a card by the issuer's address, sign in there, and see whether the wallet keeps what comes."""
        exposed = self.stage.suite.runner(run)["exposed"]
        address, card = (
            str(exposed["credential_issuer"]),
            str(exposed.get("credential_configuration_id_hint") or "eu.europa.ec.eudi.pid.1"),
        )
        before = len(self.person.get("/cards")["cards"])
        try:
            page = self.person.get(self.person.post("/add/choose", issuer=address, card=card)["next"])["offer"]
            told = self.person.post(f"/offers/{page['id']}/sign-in")["offer"]
            back = self.stage.suite.http.get(str(told["sign_in"]["url"])).headers.get("Location", "")
            if not back.startswith(self.town.urls["wallet"]):
                return f"the suite did not send the person back: {back[:200]}"
            told = self.person.get(back.removeprefix(self.town.urls["wallet"]))["offer"]
            for _ in range(20):
                if len(self.person.get("/cards")["cards"]) > before:
                    return "a card was kept all the same" if self._bad(module) else None
                time.sleep(1)
                told = self.person.post(f"/offers/{page['id']}/accept")["offer"]
        except AssertionError as refusal:
            return None if self._bad(module) else f"the wallet refused: {refusal}"[:600]
        return None if self._bad(module) else f"no card was kept: {str(told)[:600]}"

    @staticmethod
    def _bad(module: Module) -> bool:
        """Does the suite misbehave in this module, so that our wallet must stop?"""
        return any(word in module.name for word in ("mismatch", "invalid", "remove-"))


SCENES: Mapping[str, Callable[[Stage], None]] = {
    "verifier": verifier,
    "wallet": wallet,
    "issuer": issuer,
    "receiver": receiver,
}
