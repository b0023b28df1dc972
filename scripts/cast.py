"""Who plays in the demo: the teller, and desk, wallet and counter as their own programs and browsers call them."""

from __future__ import annotations

import secrets
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from scripts import rogue
from scripts.town import Town

FACES = Path(__file__).parent.parent / "tests" / "faces"
PORTRAIT, SELFIE = FACES / "collins_document.jpg", FACES / "collins_selfie.jpg"
PERSON = {
    "given_name": "Eileen",
    "family_name": "Collins",
    "birthdate": "1956-11-19",
    "nationalities": "US",
    "document_type": "passport",
    "document_number": "X1234567",
    "issuing_country": "US",
    "issuing_authority": "Department of State",
    "document_expiry": "2031-05-01",
}
"""A public figure's portrait (NASA, public domain) with invented document data."""


class NotAsSaid(AssertionError):
    """Something happened that this script did not announce."""


class Teller:
    """Prints numbered steps and holds them to what was announced."""

    def __init__(self) -> None:
        self.step_number = 0
        self.started = time.monotonic()

    def step(self, title: str) -> None:
        """Announce the next step."""
        self.step_number += 1
        print(f"\n{self.step_number}. {title}", flush=True)

    def say(self, text: str) -> None:
        """One line below the step."""
        print(f"   {text}", flush=True)

    def check(self, condition: object, expectation: str) -> None:
        """Hold the world to an expectation. Raises NotAsSaid."""
        if not condition:
            raise NotAsSaid(expectation)
        print(f"   ok  {expectation}", flush=True)


@dataclass
class Cast:
    """Who plays, and what a scene leaves behind for the next ones."""

    town: Town
    desk: Desk
    wallet: Wallet
    counter: Counter
    new_wallet: Callable[[], Wallet]
    passphrase: str = field(default_factory=lambda: secrets.token_urlsafe(12), repr=False)
    application: str = ""
    credential: str = ""
    first_shown: float = 0.0
    loot: rogue.Loot | None = None
    stolen: dict[str, bytes] = field(default_factory=dict, repr=False)


class Desk:
    """The issuing desk, as its clerk's program would call it."""

    def __init__(self, town: Town, http: httpx.Client) -> None:
        self.url, self.http = town.urls["issuer"], http
        self.headers = {"Authorization": f"Bearer {town.secret('issuer/desk-token')}", "Accept": "application/json"}

    def apply(self, portrait: Path, selfie: Path) -> dict[str, Any]:
        """Apply with two pictures and return the decision."""
        pictures = (("portrait", portrait), ("selfie", selfie))
        files = [(field, (path.name, path.read_bytes(), "image/jpeg")) for field, path in pictures]
        return self._post("/desk/applications", data=PERSON, files=files)

    def offer(self, application: str, **more: str) -> dict[str, Any]:
        """Make a credential offer for an accepted application; `kind` says in which form."""
        return self._post(f"/desk/applications/{application}/offer", data=more)

    def credentials(self) -> list[dict[str, Any]]:
        """What was issued, newest first."""
        return list(_json(self.http.get(self.url + "/desk/credentials", headers=self.headers))["credentials"])

    def revoke(self, credential: str) -> None:
        """Withdraw a credential."""
        self._post(f"/desk/credentials/{credential}/revoke", data={"reason": "Reported as lost (demo)"})

    def record(self) -> dict[str, Any]:
        """Bring onto the ledger at once what waits for it (the desk does so by itself every few seconds)."""
        return self._post("/desk/ledger/turn")

    def _post(self, path: str, **content: Any) -> dict[str, Any]:
        return dict(_json(self.http.post(self.url + path, headers=self.headers, **content)))


class Wallet:
    """A person's wallet, as a browser drives it (its pages answer as JSON when asked to)."""

    def __init__(self, town: Town, http: httpx.Client) -> None:
        self.url, self.http = town.urls["wallet"], http
        self.headers = {"Accept": "application/json", "Origin": self.url}

    def post(self, path: str, **form: str) -> dict[str, Any]:
        """Send a form."""
        return dict(_json(self.http.post(self.url + path, data=form, headers=self.headers)))

    def open(self, link: str) -> dict[str, Any]:
        """Open what was scanned or pasted: the page about it."""
        return self.get(self.post("/open", link=link)["next"])

    def get(self, path: str) -> dict[str, Any]:
        """Read a page."""
        return dict(_json(self.http.get(self.url + path, headers=self.headers)))


class Counter:
    """A relying party's program, calling the verifier's API."""

    def __init__(self, town: Town, http: httpx.Client) -> None:
        self.url, self.http = town.urls["verifier"], http
        self.headers = {"Authorization": f"Bearer {town.secret('verifier/api-key')}"}

    def ask(self, template: str, **more: str) -> dict[str, Any]:
        """Create a request."""
        answer = self.http.post(self.url + "/api/requests", json={"template": template, **more}, headers=self.headers)
        return dict(_json(answer))

    def result(self, request: str) -> dict[str, Any]:
        """Read a request's result."""
        return dict(_json(self.http.get(f"{self.url}/api/requests/{request}", headers=self.headers)))


def ask_and_share(teller: Teller, cast: Cast, *, wallet: Wallet, show: bool) -> dict[str, Any]:
    """A request, opened in the wallet, consented to, shared; the verifier's result."""
    request = cast.counter.ask("over-18")
    screen = wallet.open(request["link"])["request"]
    if show:
        known = "a name that its certificate proves" if screen["who"]["verified"] else "NOT verified"
        teller.say(f"the wallet shows who asks: {screen['who']['name']} ({known})")
        choice = screen["parts"][0]["options"][0][0]["choices"][0]
        teller.say("shared: " + ", ".join(line["label"] for line in choice["shared"]))
        teller.say("always: " + (", ".join(line["label"] for line in choice["always"]) or "nothing"))
        teller.say("hidden: " + ", ".join(choice["hidden"]))
    wallet.post(f"/requests/{screen['id']}/share")
    return cast.counter.result(request["id"])


def explain(teller: Teller, result: Mapping[str, Any]) -> None:
    """Say why something was refused."""
    for finding in result["findings"]:
        if finding["outcome"] == "fail":
            teller.say(f"fail: {finding['detail']}")


def names(claims: Mapping[str, list[Mapping[str, Any]]]) -> set[str]:
    """The names of all claims received."""
    return {name for credentials in claims.values() for credential in credentials for name in credential}


def _json(response: httpx.Response) -> Any:
    if response.is_error:
        raise NotAsSaid(
            f"{response.request.method} {response.request.url} answered {response.status_code}: {response.text[:300]}"
        )
    return response.json()


@contextmanager
def clients(town: Town) -> Iterator[Callable[[], httpx.Client]]:
    """Makes HTTP clients, each with its own cookies, that trust the local authority; closes them at the end."""
    made: list[httpx.Client] = []

    def client() -> httpx.Client:
        trust = ssl.create_default_context(cafile=str(town.ca_file))
        made.append(httpx.Client(verify=trust, timeout=30, follow_redirects=True, trust_env=False))
        return made[-1]

    try:
        yield client
    finally:
        for each in made:
            each.close()
