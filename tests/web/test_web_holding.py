"""A person and their wallet: one device for everything, locking, the keyboard, no scripts, and a withdrawn card."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import expect

from tests.web import accessibility
from tests.web.people import PASSPHRASE, Counter, Holder, clerk, counter, holder, with_card
from tests.web.stage import PHONE, Stage

pytestmark = pytest.mark.browser

STATUS_SECONDS = 11
"""A status list is asked for anew after ten seconds at the earliest, however short its own time to live."""


def test_wallet_and_question_on_one_device(stage: Stage) -> None:
    """The same-device link, with the wallet locked at first: unlock, consent, share, and back to the asker's page."""
    with with_card(stage, "Onephone") as person:
        person.page.get_by_role("button", name="Lock").click()
        shop = Counter(stage, person.page)
        shop.ask("Over 18")
        stage.look(shop.page, "verifier-request-on-a-phone")
        shop.page.get_by_role("link", name="Open my wallet").click()
        expect(person.page.get_by_role("heading", level=1)).to_have_text("Unlock your wallet")
        stage.look(person.page, "wallet-unlock-to-go-on")
        person.unlock()
        person.sees_consent()
        person.page.get_by_role("button", name="Share").click()
        expect(person.page.get_by_role("heading", level=1)).to_have_text("Shared")
        shop.sees("Verified")
        assert shop.page.url.startswith(stage.town.urls["verifier"])


def test_a_locked_wallet_shows_nothing_and_opens_with_the_passphrase_only(stage: Stage) -> None:
    with with_card(stage, "Locker") as person:
        page = person.page
        page.get_by_role("button", name="Lock").click()
        expect(page.get_by_text("Your wallet is locked")).to_be_visible()
        stage.look(page, "wallet-welcome-locked")
        page.go_back()
        expect(page.get_by_role("heading", level=1)).to_have_text("Unlock your wallet")
        assert "Collins" not in page.content(), "nothing is left to be seen with the back button"
        page.get_by_label("Name").fill(person.name)
        page.get_by_label("Passphrase").fill("not the passphrase")
        with stage.expecting("status of 403"):
            page.get_by_role("button", name="Unlock").click()
            expect(page.get_by_text("The name or the passphrase is not right.")).to_be_visible()
        stage.look(page, "wallet-unlock-wrong")
        page.get_by_label("Passphrase").fill(PASSPHRASE)
        page.get_by_role("button", name="Unlock").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Your cards")
        expect(page.locator(".pass")).to_have_count(1)


def test_consent_by_keyboard_alone(stage: Stage) -> None:
    with with_card(stage, "Keys") as person, counter(stage) as shop:
        shop.ask("Identity")
        person.paste(shop.link)
        person.sees_consent()
        page, stops = person.page, []
        for _ in range(20):
            page.keyboard.press("Tab")
            stop = accessibility.focus(page)
            stops.append(stop["name"])
            assert stop["shown"], f"the keyboard is at {stop} and nobody can see it"
            assert not stop["covered"], f"the keyboard is at {stop}, behind something else"
            if stop["name"] == "Share":
                break
        assert stops[0] == "Skip to content"
        assert stops[-2:] == ["Decline", "Share"], "saying no is no further away than saying yes"
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Shared")
        expect(page.get_by_role("heading", level=1)).to_be_focused()
        shop.sees("Verified")
        expect(shop.page.locator(".facts").first).to_contain_text("Collins")
        stage.look(shop.page, "verifier-verified-identity")


def test_everything_a_holder_needs_works_without_scripts(stage: Stage) -> None:
    with with_card(stage, "Plain") as person, counter(stage) as shop:
        shop.ask("Over 18")
        plain = Holder(stage, stage.context(PHONE, java_script_enabled=False).new_page(), person.name)
        plain.page.goto(plain.wallet + "/unlock")
        plain.unlock()
        expect(plain.page.locator(".pass")).to_have_count(1)
        plain.paste(shop.link)
        plain.sees_consent()
        plain.page.get_by_role("button", name="Share").click()
        expect(plain.page.get_by_role("heading", level=1)).to_have_text("Shared")
        shop.sees("Verified")


def test_a_withdrawn_card_is_refused_and_its_holder_can_see_why(stage: Stage) -> None:
    with with_card(stage, "Withdrawn") as person, clerk(stage) as desk, counter(stage) as shop:
        desk.page.goto(stage.town.urls["issuer"] + "/desk/credentials")
        stage.look(desk.page, "desk-credentials")
        desk.page.get_by_role("link", name=re.compile(f"Revoke {person.application}")).click()
        desk.page.get_by_label("Reason").fill("Reported as lost")
        stage.look(desk.page, "desk-revoke")
        desk.page.get_by_role("button", name="Revoke for good").click()
        expect(desk.page.get_by_text("Revoked").first).to_be_visible()
        since = time.monotonic()
        stage.look(desk.page, "desk-credential-revoked")

        person.page.locator("a.pass").click()
        expect(person.page.get_by_text("Department of State")).to_be_visible()
        stage.look(person.page, "wallet-card")
        shop.ask("Over 18")
        person.page.wait_for_timeout(1_000 * max(0, STATUS_SECONDS - (time.monotonic() - since)))
        person.page.get_by_role("button", name="Ask now").click()
        expect(person.page.locator("#status")).to_contain_text("Yes")
        stage.look(person.page, "wallet-card-withdrawn")
        person.paste(shop.link)
        person.sees_consent()
        stage.look(person.page, "wallet-consent-withdrawn")
        person.page.get_by_role("button", name="Share").click()
        shop.sees("Not verified")
        expect(shop.page.get_by_text("No details are shown")).to_be_visible()
        stage.look(shop.page, "verifier-not-verified")


def test_a_request_that_no_card_answers(stage: Stage) -> None:
    with holder(stage, "Empty") as person, counter(stage) as shop:
        shop.ask("Over 18")
        person.paste(shop.link)
        expect(person.page.get_by_text("You cannot answer this")).to_be_visible()
        expect(person.page.get_by_role("button", name="Share")).to_have_count(0)
        stage.look(person.page, "wallet-consent-no-card")


def test_a_card_can_be_removed(stage: Stage) -> None:
    with with_card(stage, "Remover") as person:
        person.page.locator("a.pass").click()
        person.page.get_by_role("link", name="Remove this card").click()
        stage.look(person.page, "wallet-card-remove")
        person.page.get_by_role("button", name="Remove it").click()
        expect(person.page.get_by_text("The card is removed")).to_be_visible()
        expect(person.page.locator(".pass")).to_have_count(0)


def test_first_pages(stage: Stage) -> None:
    """The pages before anybody has done anything, and those of somebody who is lost."""
    page = stage.context(PHONE).new_page()
    for role, path, name in (
        ("wallet", "/", "wallet-welcome"),
        ("wallet", "/signup", "wallet-signup"),
        ("wallet", "/unlock", "wallet-unlock"),
        ("verifier", "/", "verifier-home"),
        ("issuer", "/desk/login", "desk-sign-in"),
    ):
        page.goto(stage.town.urls[role] + path)
        stage.look(page, name)
    person = Holder(stage, page, "Newcomer")
    person.sign_up()
    for path, name in (("/scan", "wallet-scan"), ("/history", "wallet-history-empty"), ("/account", "wallet-account")):
        page.goto(person.wallet + path)
        stage.look(page, name)
    with stage.expecting("status of 404"):
        page.goto(stage.town.urls["verifier"] + "/nowhere")
        stage.look(page, "verifier-nowhere")
