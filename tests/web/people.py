"""The people in front of the pages: a clerk at the desk, a holder with a phone, somebody at a counter."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from playwright.sync_api import BrowserContext, Page, expect

from tests.web.camera import Box
from tests.web.stage import DESKTOP, PHONE, SCREENS, Stage

FACES = Path(__file__).parent.parent / "faces"
PORTRAIT, SELFIE, DARK = FACES / "collins.jpg", FACES / "collins_selfie.jpg", FACES / "collins_dark.jpg"
PASSPHRASE = "four unusual words walk"
SECRETS = ("Eileen", "Collins", "1956", "X1234567", "Department of State", "passport")
"""What is on the card, and no business of anybody who asks for an age."""

DOCUMENT = {
    "given_name": "Eileen",
    "family_name": "Collins",
    "birthdate": "1956-11-19",
    "nationalities": "US",
    "document_type": "passport",
    "document_number": "X1234567",
    "issuing_country": "US",
    "issuing_authority": "Department of State",
    "document_expiry": "2041-05-01",
}


def pictures() -> list[tuple[str, tuple[str, bytes, str]]]:
    """A document's portrait and a selfie of the same person, as parts of a form."""
    return [
        ("portrait", (PORTRAIT.name, PORTRAIT.read_bytes(), "image/jpeg")),
        ("selfie", (SELFIE.name, SELFIE.read_bytes(), "image/jpeg")),
    ]


@dataclass
class Clerk:
    """At the issuing desk, on a large screen."""

    stage: Stage
    page: Page

    def sign_in(self) -> None:
        """Open the desk with its token."""
        self.page.goto(self.stage.town.urls["issuer"])
        self.page.get_by_label("Desk token").fill(self.stage.town.secret("issuer/desk-token"))
        self.page.get_by_role("button", name="Open the desk").click()
        expect(self.page.get_by_role("heading", name="Applications", exact=True)).to_be_visible()

    def fill_in(self) -> None:
        """Copy what the document says into a new form, with the portrait as a file."""
        self.page.goto(self.stage.town.urls["issuer"] + "/desk/applications/new")
        for label, name in (
            ("Given names", "given_name"),
            ("Family name", "family_name"),
            ("Birth date", "birthdate"),
            ("Number", "document_number"),
            ("Issuing authority", "issuing_authority"),
            ("Valid until", "document_expiry"),
        ):
            self.page.get_by_label(label, exact=True).fill(DOCUMENT[name])
        self.page.get_by_label("Nationality", exact=True).select_option(DOCUMENT["nationalities"])
        self.page.get_by_label("Issued by (country)").select_option(DOCUMENT["issuing_country"])
        self.page.locator("#f-portrait").set_input_files(PORTRAIT)

    def photograph(self, face: Path) -> None:
        """Take pictures of the person with the camera."""
        self.stage.camera.see_face(face)
        box = self.page.locator("[data-field=selfie]")
        box.get_by_role("button", name="Photograph the person").click()
        box.get_by_role("button", name="Take the picture").click()
        expect(box.locator("[data-shots] img")).to_have_count(3)

    def decide(self) -> None:
        """Let the faces be compared."""
        self.page.get_by_role("button", name="Compare and decide").click()
        self.page.wait_for_url("**/desk/applications/*-*")

    def offer(self) -> str:
        """Make an offer; its transaction code."""
        self.page.get_by_role("button", name="Offer the credential").click()
        return self.page.locator("#tx-code").inner_text()


@dataclass
class Holder:
    """With the wallet on a phone."""

    stage: Stage
    page: Page
    name: str
    application: str = ""

    @property
    def wallet(self) -> str:
        """Where the wallet is."""
        return self.stage.town.urls["wallet"]

    def sign_up(self) -> None:
        """Make a wallet."""
        self.page.goto(self.wallet + "/signup")
        self.page.get_by_label("Name").fill(self.name)
        self.page.get_by_label("Passphrase").fill(PASSPHRASE)
        self.page.get_by_role("button", name="Create my wallet").click()
        expect(self.page.get_by_role("heading", name="Your cards")).to_be_visible()

    def unlock(self) -> None:
        """Open the wallet from its unlock page."""
        self.page.get_by_label("Name").fill(self.name)
        self.page.get_by_label("Passphrase").fill(PASSPHRASE)
        self.page.get_by_role("button", name="Unlock").click()

    def paste(self, link: str) -> None:
        """Open a link by hand."""
        self.page.goto(self.wallet + "/scan")
        self.page.get_by_label("Link from an issuer").fill(link)
        self.page.get_by_role("button", name="Open", exact=True).click()

    def accept(self, code: str) -> None:
        """Type the code that the desk gave, and add the card."""
        self.page.get_by_label("Code from the issuer").fill(code)
        self.page.get_by_role("button", name="Add").click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text("Card added")

    def start_camera(self) -> None:
        """Look through the camera."""
        self.page.goto(self.wallet + "/scan")
        self.page.get_by_role("button", name="Start the camera").click()

    def sees_consent(self) -> None:
        """The consent screen is there."""
        expect(self.page.get_by_role("heading", level=1)).to_contain_text("asks you to share")


@dataclass
class Counter:
    """Somebody who asks, with the verifier's page on a large screen."""

    stage: Stage
    page: Page

    def ask(self, question: str = "Over 18") -> None:
        """Pick a question; the code is shown."""
        self.page.goto(self.stage.town.urls["verifier"])
        self.page.get_by_role("button", name=question, exact=True).click()
        expect(self.page.locator("#live-title")).to_have_text("Waiting")

    @property
    def link(self) -> str:
        """The link beside the code."""
        return self.page.get_by_label("Or copy the link into a wallet").input_value()

    def sees(self, verdict: str) -> None:
        """The page changes to this verdict by itself."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(verdict)


def show_code(stage: Stage, page: Page) -> None:
    """Hold a screen with a code before the camera of the wallet."""
    box = page.locator(".qr").bounding_box()
    assert box is not None, "the page shows a code"
    picture = SCREENS / "before-the-camera.png"
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=picture)
    stage.camera.see_code(picture, at=Box(**box).around(0.15, page.evaluate("() => devicePixelRatio")))


@contextmanager
def clerk(stage: Stage) -> Iterator[Clerk]:
    """A clerk who has signed in."""
    with _page(stage, stage.context(DESKTOP)) as page:
        person = Clerk(stage, page)
        person.sign_in()
        yield person


@contextmanager
def holder(stage: Stage, name: str) -> Iterator[Holder]:
    """Somebody with a new, empty wallet on their phone."""
    with _page(stage, stage.context(PHONE)) as page:
        person = Holder(stage, page, name)
        person.sign_up()
        yield person


@contextmanager
def with_card(stage: Stage, name: str, *kinds: str) -> Iterator[Holder]:
    """Somebody with a wallet on their phone and their card in it; issued over the desk's API, accepted on the page.

    `kinds` are the forms in which they have it: one card each, or one as the desk offers it where none is named.
    """
    with holder(stage, name) as person:
        for kind in kinds or ("",):
            with desk_api(stage) as desk:
                person.application = apply(desk)
                path = f"/desk/applications/{person.application}/offer"
                offer = desk.post(path, data={"kind": kind}).raise_for_status().json()
            person.paste(offer["offer_uri"])
            person.accept(offer["tx_code"])
        person.page.goto(person.wallet + "/cards")
        yield person


def apply(desk: httpx.Client) -> str:
    """Enrol somebody over the desk's API; the application's reference."""
    made = desk.post("/desk/applications", data=DOCUMENT, files=pictures()).raise_for_status().json()
    return str(made["id"])


@contextmanager
def desk_api(stage: Stage) -> Iterator[httpx.Client]:
    """The desk's API, with its token."""
    town = stage.town
    trust = ssl.create_default_context(cafile=str(town.ca_file))
    headers = {"Authorization": f"Bearer {town.secret('issuer/desk-token')}", "Accept": "application/json"}
    with httpx.Client(base_url=town.urls["issuer"], verify=trust, headers=headers, timeout=60) as client:
        yield client


@contextmanager
def counter(stage: Stage) -> Iterator[Counter]:
    """Somebody who wants to know something."""
    with _page(stage, stage.context(DESKTOP, device_scale_factor=2)) as page:
        yield Counter(stage, page)


@contextmanager
def _page(stage: Stage, context: BrowserContext) -> Iterator[Page]:
    yield context.new_page()
    context.close()
