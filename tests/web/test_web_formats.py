"""The same card in every form that the desk offers: taken, told from the others, shown, and refused once withdrawn."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import expect

from tests.web.people import (
    SECRETS,
    Clerk,
    Counter,
    Holder,
    apply,
    clerk,
    counter,
    desk_api,
    holder,
    show_code,
    with_card,
)
from tests.web.stage import Stage

pytestmark = pytest.mark.browser

FORMS = {
    "VerifiedPerson": ("SD-JWT", "SD-JWT credential"),
    "VerifiedPersonCredential": ("W3C credential", "W3C credential"),
    "VerifiedPersonBbs": ("W3C credential (BBS)", "W3C credential (BBS)"),
    "VerifiedPersonMdoc": ("Mobile document (mdoc)", "Mobile document (mdoc)"),
}
"""By kind: what the form is called at the desk, and in the wallet."""
STATUS_SECONDS = 11
"""A status list is asked for anew after ten seconds at the earliest, however short its own time to live."""


@pytest.mark.parametrize("kind", FORMS)
def test_each_form_is_offered_held_and_answers(stage: Stage, kind: str) -> None:
    with clerk(stage) as desk, holder(stage, f"Has {kind}") as person, counter(stage) as shop:
        choose(desk, kind)
        stage.look(desk.page, f"desk-offer-{kind}")
        take(person, desk)
        stage.look(person.page, f"wallet-card-added-{kind}")
        person.page.get_by_role("link", name="See the card").click()
        expect(person.page.locator(".pass")).to_contain_text("Eileen Collins")
        expect(person.page.locator(".pass-apart")).to_have_count(0)
        unfold(person)
        expect(person.page.locator("details", has_text="About this card")).to_contain_text(FORMS[kind][1])
        stage.look(person.page, f"wallet-card-{kind}")

        shop.ask("Over 18")
        show_code(stage, shop.page)
        person.start_camera()
        person.sees_consent()
        expect(person.page.locator("form .facts > div")).to_have_count(1)
        expect(person.page.locator("form .facts")).to_have_text("At least 18Yes")
        expect(person.page.locator(".hidden-list")).to_contain_text("Date of birth")
        expect(person.page.locator(".hidden-list")).to_contain_text("Identity document")
        stage.look(person.page, f"wallet-consent-{kind}")
        share(person)
        shop.sees("Verified")
        expect(shop.page.locator(".facts").first).to_have_text("At least 18Yes")
        said = shop.page.content()
        assert [secret for secret in SECRETS if secret in said] == [], "only what was asked is on the page"
        expect(shop.page.get_by_text("Said by")).not_to_contain_text("did:")
        stage.look(shop.page, f"verifier-verified-{kind}")


def test_cards_of_one_name_are_told_apart_and_one_of_them_is_shown(stage: Stage) -> None:
    with with_card(stage, "Collector", *FORMS) as person, counter(stage) as shop:
        told = person.page.locator(".pass-apart").all_inner_texts()
        assert told == [name for _, name in reversed(FORMS.values())], "newest first, each by the name of its form"
        stage.look(person.page, "wallet-cards-of-one-name")

        shop.ask("Over 18")
        person.paste(shop.link)
        person.sees_consent()
        picks = person.page.get_by_role("group", name="Which card do you want to use?").get_by_role("radio")
        expect(picks).to_have_count(len(FORMS))
        expect(person.page.get_by_text("They ask for At least 18.")).to_be_visible()
        expect(person.page.locator("input:checked")).to_have_count(0)
        stage.look(person.page, "wallet-consent-which-card")
        person.page.get_by_role("button", name="Share").click()
        expect(picks.first).to_be_focused()
        person.page.keyboard.press("ArrowDown")
        expect(picks.nth(1)).to_be_checked()
        person.sees_consent()
        expect(shop.page.locator("#live-title")).to_have_text("Scanned")

        person.page.get_by_role("radio", name="Mobile document (mdoc)").check()
        expect(person.page.get_by_text("They will see").locator("visible=true")).to_have_count(1)
        stage.look(person.page, "wallet-consent-which-card-chosen")
        share(person)
        shop.sees("Verified")
        unfold(shop)
        expect(shop.page.locator(".evidence", has_text="form")).to_have_count(1)
        expect(shop.page.locator(".evidence", has_text="form")).to_contain_text("Mobile document (mdoc)")
        person.page.goto(person.wallet + "/history")
        expect(person.page.locator("a.event").first).to_contain_text("Verified person: Mobile document (mdoc) · 1 fact")
        stage.look(person.page, "wallet-history-which-card")


def test_a_form_that_shows_more_says_so_before_it_is_chosen(stage: Stage) -> None:
    with with_card(stage, "Comparer", "VerifiedPerson", "VerifiedPersonMdoc") as person, counter(stage) as shop:
        shop.ask("Identity document")
        person.paste(shop.link)
        person.sees_consent()
        expect(person.page.locator(".choice", has_text="SD-JWT")).to_contain_text("Shows 6 details")
        expect(person.page.locator(".choice", has_text="mdoc")).to_contain_text("Shows 7 details")
        stage.look(person.page, "wallet-consent-one-shows-more")
        person.page.get_by_role("radio", name="SD-JWT").check()
        share(person)
        shop.sees("Verified")
        expect(shop.page.locator(".facts").first).not_to_contain_text("Department of State")


def test_a_withdrawn_w3c_credential_is_refused(stage: Stage) -> None:
    with with_card(stage, "Lost", "VerifiedPersonCredential") as person, clerk(stage) as desk, counter(stage) as shop:
        desk.page.goto(stage.town.urls["issuer"] + "/desk/credentials")
        row = desk.page.get_by_role("row", name=re.compile(person.application))
        expect(row).to_contain_text("W3C credential")
        row.get_by_role("link", name="Revoke").click()
        desk.page.get_by_role("button", name="Revoke for good").click()
        expect(desk.page.get_by_text("Revoked").first).to_be_visible()
        since = time.monotonic()
        shop.ask("Over 18")
        person.page.wait_for_timeout(1_000 * max(0, STATUS_SECONDS - (time.monotonic() - since)))
        person.paste(shop.link)
        person.sees_consent()
        share(person)
        shop.sees("Not verified")
        expect(shop.page.get_by_text("No details are shown")).to_be_visible()
        stage.look(shop.page, "verifier-not-verified-w3c")


def choose(desk: Clerk, kind: str) -> None:
    """Offer an application's card in this form."""
    with desk_api(desk.stage) as api:
        application = apply(api)
    desk.page.goto(f"{desk.stage.town.urls['issuer']}/desk/applications/{application}")
    desk.page.locator("summary", has_text="Forms of the card").click()
    forms = desk.page.get_by_role("group", name="Forms of the card").get_by_role("checkbox")
    assert {form.get_attribute("value") for form in forms.all()} >= set(FORMS), "what is tried here can be chosen"
    desk.stage.look(desk.page, "desk-application-forms")
    desk.page.locator("input[name=kind]:checked").first.uncheck()  # the one that is offered to who does not choose
    desk.page.locator(f"input[value={kind}]").check()
    desk.page.get_by_role("button", name="Offer the credential").click()
    expect(desk.page.get_by_text("The card comes as")).to_contain_text(FORMS[kind][0])


def take(person: Holder, desk: Clerk) -> None:
    """Open the offer's link in the wallet, and add the card."""
    code = desk.page.locator("#tx-code").inner_text()
    person.paste(desk.page.get_by_label("Offer link").input_value())
    expect(person.page.get_by_role("heading", level=1)).to_have_text("Add this card?")
    person.accept(code)
    expect(desk.page.locator("#state-title")).to_have_text("The credential is in the wallet")


def share(person: Holder) -> None:
    """Say yes."""
    person.page.get_by_role("button", name="Share").click()
    expect(person.page.get_by_role("heading", level=1)).to_have_text("Shared")


def unfold(person: Holder | Counter) -> None:
    """Open what is folded."""
    person.page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
