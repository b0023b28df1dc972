"""The wallet's pages: who gets in, who sees what, and how they take whatever is thrown at them."""

from __future__ import annotations

import contextlib
import functools
import io
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from service import qr
from ssi.encoding import write_json
from ssi.errors import Malformed
from tests.holder.town import CLAIMS, DISCLOSABLE, PASSPHRASE, WALLET, Person, Town
from wallet.holder import scanning
from wallet.holder.links import Kind, kind
from wallet.holder.web.access import local

COOKIE = "__Host-facet-wallet"


def _cookie(person: Person) -> str:
    found = person.client.get_cookie(COOKIE, domain="localhost")
    assert found is not None
    return str(found.value)


def _carrying(app: Flask, value: str) -> Person:
    """A browser with somebody's cookie."""
    client = app.test_client()
    client.set_cookie(COOKIE, value, domain="localhost", secure=True)
    return Person(client)


# --- getting in and out -----------------------------------------------------------------------------------------------


def test_signing_up_opens_a_wallet_and_locking_closes_it(app: Flask) -> None:
    ada = Person.joins(app)
    assert ada.get("/").json == {"unlocked": True}
    assert ada.get("/cards").status_code == 200
    assert ada.post("/lock").json == {"unlocked": False}
    assert ada.get("/").json == {"unlocked": False}
    assert ada.post("/unlock", name="ada", passphrase=PASSPHRASE).json["unlocked"] is True


def test_the_cookie_is_for_this_host_and_unreadable_for_scripts(app: Flask) -> None:
    answer = Person(app.test_client()).post("/signup", name="Ada", passphrase=PASSPHRASE)
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "Domain" not in cookie


def test_a_page_of_a_locked_wallet_leads_to_the_lock_and_back(app: Flask, ada: Person) -> None:
    ada.post("/lock")
    answer = ada.page("/open?link=openid4vp%3A%2F%2Fx")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/unlock?next=%2Fopen%3Flink%3Dopenid4vp%253A%252F%252Fx"
    assert ada.get("/cards").status_code == 401
    assert ada.get("/cards").json["error"] == "account.locked"
    opened = ada.send("/unlock", name="Ada", passphrase=PASSPHRASE, next="/history")
    assert opened.headers["Location"] == "/history"


@pytest.mark.parametrize(
    "target",
    [
        *("https://evil.test/", "//evil.test", "/\\evil.test", "javascript:alert(1)", "/" + "a" * 9000, "\t//e.test"),
        *("/\t/evil.test", "/\n/evil.test", "/\r//evil.test", "//[", "/\x85/evil.test"),
    ],
)
def test_nobody_is_led_elsewhere_after_unlocking(target: str, ada: Person) -> None:
    assert local(target) == "/"
    ada.post("/lock")
    assert ada.send("/unlock", name="Ada", passphrase=PASSPHRASE, next=target).headers["Location"] == "/"


def test_a_wrong_passphrase_and_an_unknown_name_get_the_same_page(ada: Person) -> None:
    ada.post("/lock")
    pages = []
    for name in ("Ada", "Eve"):
        answer = ada.send("/unlock", name=name, passphrase="wrong")
        assert answer.status_code == 403
        pages.append(answer.get_data(as_text=True).replace(name, ""))
    assert pages[0] == pages[1]


def test_guessing_is_slowed_down_and_the_answer_says_for_how_long(ada: Person, town: Town) -> None:
    ada.post("/lock")
    for _ in range(5):
        assert ada.post("/unlock", name="Ada", passphrase="wrong").status_code == 403
    slowed = ada.post("/unlock", name="Ada", passphrase=PASSPHRASE)
    assert (slowed.status_code, slowed.json["error"]) == (429, "account.throttled")
    page = ada.send("/unlock", name="Ada", passphrase=PASSPHRASE)
    assert page.status_code == 429
    assert int(page.headers["Retry-After"]) > 0
    town.clock.move(seconds=int(slowed.headers["Retry-After"]))
    assert ada.post("/unlock", name="Ada", passphrase=PASSPHRASE).status_code == 200


def test_a_weak_passphrase_is_told_beside_its_field(app: Flask) -> None:
    person = Person(app.test_client())
    page = person.send("/signup", name="Ada", passphrase="short")
    assert page.status_code == 400
    assert "At least 12" in page.get_data(as_text=True)
    assert "f-passphrase-error" in page.get_data(as_text=True)
    assert 'value="short"' not in page.get_data(as_text=True)
    assert person.get("/").json == {"unlocked": False}
    taken = Person.joins(app, "Ada").send("/signup", name="ADA", passphrase=PASSPHRASE)
    assert "f-name-error" in taken.get_data(as_text=True)


def test_a_wallet_locks_itself_when_idle_and_by_age(ada: Person, town: Town) -> None:
    for _ in range(3):
        town.clock.move(minutes=14)
        assert ada.get("/cards").status_code == 200  # use keeps it open
    town.clock.move(minutes=15)
    assert ada.get("/cards").status_code == 401
    ada.post("/unlock", name="Ada", passphrase=PASSPHRASE)
    for _ in range(36):
        town.clock.move(minutes=13.5)
        last = ada.get("/cards").status_code
    assert last == 401


def test_the_passphrase_can_be_changed_and_the_wallet_deleted(app: Flask, ada: Person) -> None:
    thief = _carrying(app, _cookie(ada))
    assert ada.post("/account/passphrase", passphrase="wrong", new=PASSPHRASE).json["error"] == "account.wrong"
    page = ada.send("/account/passphrase", passphrase=PASSPHRASE, new="short")
    assert page.status_code == 403
    assert "f-new-error" in page.get_data(as_text=True)
    changed = ada.send("/account/passphrase", passphrase=PASSPHRASE, new="quite another one")
    assert changed.headers["Location"] == "/account?changed=1"
    assert "is changed" in ada.page("/account?changed=1").get_data(as_text=True)
    assert thief.get("/cards").status_code == 401
    assert "f-delete-error" in ada.send("/account/delete", passphrase=PASSPHRASE).get_data(as_text=True)
    assert ada.send("/account/delete", passphrase="quite another one").headers["Location"] == "/?deleted=1"
    assert "is deleted" in ada.page("/?deleted=1").get_data(as_text=True)
    assert ada.get("/cards").status_code == 401
    assert ada.post("/unlock", name="Ada", passphrase="quite another one").status_code == 403


# --- replicas and other people ----------------------------------------------------------------------------------------


def test_any_replica_serves_any_person(town: Town) -> None:
    first, second = town.app(), town.app()
    ada = Person.joins(first)
    ada.accepts(town)
    elsewhere = _carrying(second, _cookie(ada))
    assert elsewhere.cards() == ada.cards()
    place = elsewhere.open(town.issuer.link)
    assert ada.get(place).json["offer"]["stage"] == "settled"


def test_a_stolen_cookie_dies_with_the_lock_on_every_replica(town: Town) -> None:
    first, second = town.app(), town.app()
    ada = Person.joins(first)
    thief = _carrying(second, _cookie(ada))
    assert thief.get("/cards").status_code == 200
    ada.post("/lock")
    assert thief.get("/cards").status_code == 401
    assert _carrying(first, _cookie(thief) if _has_cookie(thief) else "x").get("/cards").status_code == 401
    ada.post("/unlock", name="Ada", passphrase=PASSPHRASE)
    assert ada.get("/cards").status_code == 200
    assert thief.get("/cards").status_code == 401


def _has_cookie(person: Person) -> bool:
    return person.client.get_cookie(COOKIE, domain="localhost") is not None


def test_what_belongs_to_somebody_else_does_not_exist(app: Flask, ada: Person, town: Town) -> None:
    ada.accepts(town)
    card, event = ada.cards()[0]["id"], ada.history()[0]["id"]
    offer = ada.open(town.issuer.link)
    request = ada.open(town.shop.link)
    grace = Person.joins(app, "Grace")
    reads = [f"/cards/{card}", f"/cards/{card}/delete", f"/history/{event}", offer, request]
    writes = [f"/cards/{card}/delete", f"/cards/{card}/status", f"{offer}/accept", f"{offer}/decline"]
    writes += [f"{request}/share", f"{request}/decline"]
    for path in reads:
        assert ada.get(path).status_code == 200, path
        theirs, nobodys = grace.get(path), grace.get(path.replace(path.split("/")[2], "AAAAAAAAAAAAAAAAAAAAAA"))
        assert (theirs.status_code, theirs.json) == (404, nobodys.json), path
    for path in writes:
        assert grace.post(path).status_code == 404, path
    assert grace.cards() == []
    assert grace.history() == []
    assert [one["id"] for one in ada.cards()] == [card]


def test_a_forged_or_moved_cookie_opens_nothing(town: Town, tmp_path: Path) -> None:
    app = town.app()
    ada = Person.joins(app)
    value = _cookie(ada)
    elsewhere = Town(tmp_path / "elsewhere").app()
    assert _carrying(elsewhere, value).get("/cards").status_code == 401
    for forged in (
        value[:-2],
        value[:20] + ("A" if value[20] != "A" else "B") + value[21:],
        "",
        "AAAA",
        "é",
        "a" * 4000,
    ):
        assert _carrying(app, forged).get("/cards").status_code == 401


# --- cards ------------------------------------------------------------------------------------------------------------


def test_a_card_shows_its_claims_in_plain_words_and_can_be_removed(ada: Person, town: Town) -> None:
    ada.accepts(town)
    card = ada.cards()[0]["id"]
    page = ada.page(f"/cards/{card}").get_data(as_text=True)
    for text in ("19 November 1956", "At least 18", "Document number", "Facet Desk", "Ask now"):
        assert text in page
    assert "Remove this card?" in ada.page(f"/cards/{card}/delete").get_data(as_text=True)
    assert ada.send(f"/cards/{card}/delete").headers["Location"] == "/cards?removed=1"
    assert ada.cards() == []
    assert ada.get(f"/cards/{card}").status_code == 404
    assert ada.history()[0]["what"] == "removed"
    assert ada.post(f"/cards/{card}/delete").status_code == 404


def test_claims_are_text_and_never_markup(ada: Person, town: Town) -> None:
    evil = "<script>alert(1)</script><b onmouseover=x>"
    claims = {**CLAIMS, "given_name": evil, evil: evil}
    town.issuer.draft_changes.update(claims=claims, disclosable=(*DISCLOSABLE, (evil,)))
    ada.accepts(town)
    for path in ("/cards", f"/cards/{ada.cards()[0]['id']}", ada.open(town.shop.link)):
        page = ada.page(path).get_data(as_text=True)
        assert "<script>alert" not in page
        assert "<b onmouseover" not in page


def test_the_status_is_asked_when_the_person_wants_it(ada: Person, town: Town) -> None:
    ada.accepts(town)
    card = ada.cards()[0]["id"]
    town.issuer.revoked.add(7)
    town.clock.move(minutes=5)
    assert ada.cards()[0]["standing"]["word"] == "Valid"
    assert ada.send(f"/cards/{card}/status").headers["Location"] == f"/cards/{card}#status"
    assert ada.cards()[0]["standing"]["word"] == "Withdrawn"
    assert "Withdrawn" in ada.page("/cards").get_data(as_text=True)


def test_badges_follow_the_cards_dates(ada: Person, town: Town) -> None:
    town.issuer.draft_changes["valid_until"] = town.clock()
    town.issuer.draft_changes["valid_until"] += timedelta(days=31)
    ada.accepts(town)
    words = []
    for days in (0, 2, 30):
        town.clock.move(days=days)
        ada.post("/unlock", name="Ada", passphrase=PASSPHRASE)
        words.append(ada.cards()[0]["standing"]["word"])
    assert words == ["Valid", "Expires soon", "Expired"]


# --- links and codes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("https://example.com/", "a web address"),
        ("WIFI:S:home;T:WPA;P:secret;;", "a Wi-Fi password"),
        ("mailto:a@b.test", "an e-mail address"),
        ("4006381333931", "a number"),
        ("hello", "some other text"),
        ("eyJhbGciOiJFUzI1NiJ9.e30.c2ln~WyJhIl0~", "a credential itself"),
        ("openid4vp://?client_id=x", "some other text"),
    ],
)
def test_a_code_for_something_else_is_named(text: str, what: str, ada: Person) -> None:
    with pytest.raises(Malformed) as other:
        kind(text)
    assert other.value.detail.startswith(f"This is {what}, not an offer")
    page = ada.send("/open", link=text)
    assert page.status_code == 400
    assert what in page.get_data(as_text=True)


def test_offers_and_requests_are_told_apart(town: Town) -> None:
    assert kind(town.issuer.link) is Kind.OFFER
    assert kind(write_json(town.issuer.offer.json).decode()) is Kind.OFFER
    assert kind(town.shop.link) is Kind.REQUEST


@given(st.text(max_size=200))
def test_any_text_has_a_kind_or_is_malformed(text: str) -> None:
    with contextlib.suppress(Malformed):
        assert kind(text) in Kind


def test_a_picture_of_a_code_is_read_by_the_server_and_not_kept(ada: Person, town: Town) -> None:
    picture = qr.png(town.issuer.link)
    answer = ada.client.post("/scan/decode", data=picture, content_type="image/png", base_url=WALLET)
    assert answer.json == {"text": town.issuer.link, "kind": {"is": "offer"}}
    other = ada.client.post("/scan/decode", data=qr.png("hello"), content_type="image/png", base_url=WALLET)
    assert "some other text" in other.json["kind"]["not"]
    form = {"picture": (io.BytesIO(picture), "code.png")}
    opened = ada.client.post("/scan/decode", data=form, base_url=WALLET, headers={"Accept": "text/html"})
    assert opened.status_code == 303
    assert opened.headers["Location"].startswith("/offers/")
    content = b"".join(path.read_bytes() for path in (town.folder / "wallet").glob("wallet.db*"))
    assert b"PNG" not in content


def test_a_picture_without_a_code_or_no_picture_is_said(ada: Person) -> None:
    blank = qr.png("x")[:-20]
    for data, kind_ in (
        (b"", "image/jpeg"),
        (b"not a picture", "image/jpeg"),
        (blank, "image/png"),
        (b"x", "text/plain"),
    ):
        answer = ada.client.post("/scan/decode", data=data, content_type=kind_, base_url=WALLET)
        assert answer.status_code == 400, kind_
        assert answer.mimetype == "application/json" or b"<h1" in answer.data
    big = ada.client.post("/scan/decode", data=bytes(5_000_000), content_type="image/jpeg", base_url=WALLET)
    assert big.status_code == 413
    assert ada.post("/scan/decode").status_code == 400


@given(st.binary(max_size=400))
@settings(max_examples=60)
def test_hostile_pictures_are_malformed(data: bytes) -> None:
    for picture in (data, b"\xff\xd8\xff" + data, b"\x89PNG\r\n\x1a\n" + data, b"RIFF" + data):
        with contextlib.suppress(Malformed):
            assert scanning.decode(picture) is None


# --- headers, and whatever is thrown at the routes --------------------------------------------------------------------


def _routes(app: Flask) -> list[tuple[str, str]]:
    found = []
    for rule in app.url_map.iter_rules():
        if "static" in rule.endpoint or rule.endpoint == "healthz":
            continue
        path = rule.rule.replace("<id>", "AAAAAAAAAAAAAAAAAAAAAA")
        found += [(method, path) for method in sorted(rule.methods or ()) if method in {"GET", "POST"}]
    return found


def test_only_the_scan_page_may_compile_wasm_and_use_the_camera(app: Flask, ada: Person) -> None:
    for method, path in _routes(app):
        answer = ada.client.open(path, method=method, base_url=WALLET, headers={"Accept": "text/html"})
        policy, permissions = answer.headers["Content-Security-Policy"], answer.headers["Permissions-Policy"]
        scanning_page = (method, path) == ("GET", "/scan")
        assert ("wasm-unsafe-eval" in policy) == scanning_page, path
        assert ("camera=(self)" in permissions) == scanning_page, path
        assert "unsafe-inline" not in policy
        assert "require-trusted-types-for 'script'" in policy
        assert answer.headers["Cache-Control"] == "no-store"
        if path == "/lock":
            ada.post("/unlock", name="Ada", passphrase=PASSPHRASE)


def test_pages_hold_no_inline_script_style_or_handler(ada: Person, town: Town) -> None:
    ada.accepts(town)
    card = ada.cards()[0]["id"]
    paths = ["/", "/signup", "/unlock", "/cards", "/scan", "/history", f"/cards/{card}", f"/cards/{card}/delete"]
    paths += [ada.open(town.issuer.link), ada.open(town.shop.link), f"/history/{ada.history()[0]['id']}"]
    for path in paths:
        page = ada.page(path).get_data(as_text=True).lower()
        for token in ("style=", " onclick", " onsubmit", "<style", "javascript:"):
            assert token not in page, (path, token)
        assert page.count("<script") == page.count('<script type="module" src="/'), path


def test_every_route_without_a_session_shows_nothing(app: Flask, town: Town) -> None:
    stranger = Person(app.test_client())
    open_to_all = {"/", "/signup", "/unlock", "/lock"}
    for method, path in _routes(app):
        answer = stranger.client.open(path, method=method, base_url=WALLET, headers={"Accept": "application/json"})
        if path not in open_to_all:
            assert answer.status_code == 401, (method, path)
            assert answer.json["error"] == "account.locked"


BODIES: list[tuple[str, bytes]] = [
    ("application/json", b"{"),
    ("application/json", b"[1]"),
    ("application/json", b'{"link": 5, "name": [], "passphrase": {}, "tx_code": null, "next": 1}'),
    ("application/json", b"\xff\xfe"),
    ("application/x-www-form-urlencoded", b"link=%ff%fe&name=%00&passphrase=%ff&tx_code=%ff"),
    ("application/x-www-form-urlencoded", b"=&&&;=%zz"),
    ("multipart/form-data; boundary=x", b"--x\r\nbroken"),
    ("multipart/form-data", b"no boundary"),
    ("text/plain", b"hello"),
    ("application/xml", b"<a/>"),
    ("", b""),
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: f"{body[0]}-{len(body[1])}")
def test_no_route_breaks_on_any_body(body: tuple[str, bytes], app: Flask, ada: Person) -> None:
    kind_, data = body
    for method, path in _routes(app):
        for accept in ("application/json", "text/html"):
            answer = ada.client.open(
                path, method=method, data=data, content_type=kind_ or None, base_url=WALLET, headers={"Accept": accept}
            )
            _is_plain(answer, path)
        ada.post("/unlock", name="Ada", passphrase=PASSPHRASE)


@given(st.text(max_size=60), st.text(max_size=60))
@settings(max_examples=40)
def test_no_field_breaks_a_route(name: str, value: str) -> None:
    fields = {"name": name, "passphrase": value, "link": value, "next": name, "tx_code": name, "part-0": value}
    client = _one_app().test_client()
    for path in ("/signup", "/unlock", "/open", "/offers/x/accept", "/requests/x/share"):
        _is_plain(client.post(path, data=fields, base_url=WALLET, headers={"Accept": "application/json"}), path)


def _is_plain(answer: TestResponse, path: str) -> None:
    text = answer.get_data(as_text=True)
    assert answer.status_code < 500, (path, text)
    assert "Traceback" not in text
    if answer.status_code >= 400 and answer.mimetype == "application/json":
        assert set(answer.json) == {"error", "error_description"}, path
        assert answer.json["error_description"]


def test_oversize_bodies_and_wrong_methods_are_refused(app: Flask, ada: Person) -> None:
    big = ada.post("/open", link="x" * 300_000)
    assert big.status_code == 413
    assert ada.post("/open", link="openid4vp://?" + "x" * 40_000).status_code == 400
    for path in ("/cards", "/history", "/scan"):
        assert ada.client.put(path, base_url=WALLET).status_code == 405


def test_a_form_from_another_site_changes_nothing(app: Flask, ada: Person, town: Town) -> None:
    ada.accepts(town)
    card = ada.cards()[0]["id"]
    request = ada.open(town.shop.link)
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.test"}):
        for path in (f"/cards/{card}/delete", "/lock", f"{request}/share", "/open"):
            answer = ada.client.post(path, base_url=WALLET, headers=headers)
            assert answer.status_code == 403, path
    assert len(ada.cards()) == 1
    assert town.shop.received == []


def test_health_is_told_and_a_missing_key_file_stops_the_start(town: Town) -> None:
    app = town.app()
    assert app.test_client().get("/healthz", base_url=WALLET).json["status"] == "ok"
    (town.folder / "wallet/cookie.key").unlink()
    with pytest.raises(Exception, match="cookie key"):
        town.app()


@functools.cache
def _one_app() -> Flask:
    """One application for the properties above, whose examples need not be apart."""
    return Town(Path(tempfile.mkdtemp(prefix="facet-test-"))).app()
