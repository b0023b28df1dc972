"""The whole job in a real browser: enrolled at the desk, a card in the wallet, a code scanned, a verdict shown."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.web.people import DARK, SECRETS, SELFIE, clerk, counter, holder, show_code
from tests.web.stage import Stage

pytestmark = pytest.mark.browser


def test_from_the_desk_to_a_verdict(stage: Stage) -> None:
    with clerk(stage) as desk, holder(stage, "Eileen") as person, counter(stage) as shop:
        stage.look(desk.page, "desk-applications-empty")
        desk.fill_in()
        desk.photograph(SELFIE)
        stage.look(desk.page, "desk-application-form")
        desk.decide()
        expect(desk.page.get_by_role("heading", level=1)).to_have_text("The faces match")
        stage.look(desk.page, "desk-application-matched")
        code = desk.offer()
        expect(desk.page.locator(".qr")).to_be_visible()
        expect(desk.page.locator("#state-title")).to_have_text("Waiting for the wallet")
        stage.look(desk.page, "desk-offer-waiting")

        stage.look(person.page, "wallet-cards-empty")
        show_code(stage, desk.page)
        person.start_camera()
        expect(person.page.get_by_role("heading", level=1)).to_have_text("Add this card?")
        stage.look(person.page, "wallet-offer")
        expect(desk.page.locator("#state-title")).to_have_text("The wallet has opened the offer")
        person.accept(code)
        stage.look(person.page, "wallet-card-added")
        expect(desk.page.locator("#state-title")).to_have_text("The credential is in the wallet")
        assert code not in desk.page.content(), "the code has served and is gone"
        stage.look(desk.page, "desk-offer-accepted")
        person.page.goto(person.wallet + "/cards")
        expect(person.page.locator(".pass")).to_have_count(1)
        expect(person.page.locator(".pass")).to_contain_text("Eileen Collins")
        stage.look(person.page, "wallet-cards")

        shop.ask("Over 18")
        stage.look(shop.page, "verifier-request-waiting")
        show_code(stage, shop.page)
        person.start_camera()
        person.sees_consent()
        expect(shop.page.locator("#live-title")).to_have_text("Scanned")
        stage.look(shop.page, "verifier-request-scanned")
        expect(person.page.locator("form .facts")).to_contain_text("18")
        expect(person.page.locator("form .facts > div")).to_have_count(1)
        expect(person.page.locator(".hidden-list")).to_contain_text("Date of birth")
        expect(person.page.locator(".who")).to_contain_text("Verified")
        stage.look(person.page, "wallet-consent")
        person.page.get_by_role("button", name="Share").click()
        expect(person.page.get_by_role("heading", level=1)).to_have_text("Shared")
        stage.look(person.page, "wallet-shared")

        shop.sees("Verified")
        expect(shop.page.locator(".facts").first).to_have_text("At least 18Yes")
        said = shop.page.content()
        assert [secret for secret in SECRETS if secret in said] == [], "only what was asked is on the page"
        shop.page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
        stage.look(shop.page, "verifier-verified")

        person.page.goto(person.wallet + "/history")
        stage.look(person.page, "wallet-history")
        person.page.locator("a.event").first.click()
        stage.look(person.page, "wallet-history-event")


def test_a_face_that_cannot_be_compared_is_refused_with_advice(stage: Stage) -> None:
    with clerk(stage) as desk:
        desk.fill_in()
        desk.photograph(DARK)
        desk.decide()
        expect(desk.page.get_by_role("heading", level=1)).to_have_text("The faces could not be matched")
        expect(desk.page.get_by_text("too dark").first).to_be_visible()
        expect(desk.page.get_by_role("button", name="Offer the credential")).to_have_count(0)
        stage.look(desk.page, "desk-application-refused")
