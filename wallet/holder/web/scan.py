"""Pages: scan a code, paste a link, open what it brings."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue

from service.app import answer, body_limit, json_answer, status_of, wants_json
from service.headers import allows
from ssi.errors import Malformed, Refused, SsiError
from wallet.holder import present, receive, scanning
from wallet.holder.links import MAX_LINK, Kind, kind
from wallet.holder.web.access import holder, sent, vault

pages = Blueprint("scan", __name__)


@pages.get("/scan")
@allows("camera", "previews", "wasm")
def scan() -> ResponseReturnValue:
    """The camera, and the ways around it."""
    vault()
    return _scan_page()


@pages.post("/scan/decode")
@body_limit(scanning.MAX_PICTURE + 65_536)
def decode() -> ResponseReturnValue:
    """One picture in, the text of its QR code out; nothing is kept.

    A picture as the body (frames of the camera) is answered with JSON; one from a form opens what it holds.
    """
    vault()
    if request.mimetype != "multipart/form-data":
        text = scanning.decode(request.get_data())
        return json_answer({"text": text, "kind": _kind_or_why(text)})
    file = request.files.get("picture")
    text = scanning.decode(file.read(scanning.MAX_PICTURE + 1)) if file is not None else None
    if text is None:
        raise Malformed("scan.nothing", "No QR code was found on the picture. Try a sharper or closer one.")
    return _open(text)


@pages.get("/open")
def open_link() -> ResponseReturnValue:
    """A link to this wallet that carries an offer or a request."""
    return _open(request.args.get("link", ""))


@pages.post("/open")
def open_pasted() -> ResponseReturnValue:
    """A link that was scanned or pasted."""
    return _open(sent("link", limit=MAX_LINK))


@pages.post("/open/tell")
def tell() -> ResponseReturnValue:
    """Tell who asks why their request could not be taken: only when the person wants that."""
    opened, wallet, link = vault(), holder(), sent("link", limit=MAX_LINK)
    told = present.tell(opened, link, outside=wallet.outside, now=wallet.now())
    return answer("holder/told.html", {"told": told})


@pages.get("/offer")
def open_offer() -> ResponseReturnValue:
    """The wallet's own https address for offers (OpenID4VCI 1.0 §4.1)."""
    return _open(f"openid-credential-offer://?{request.query_string.decode('ascii', 'replace')}")


@pages.get("/authorize")
def open_request() -> ResponseReturnValue:
    """The wallet's own https address for requests (OpenID4VP 1.0 §9)."""
    return _open(f"openid4vp://?{request.query_string.decode('ascii', 'replace')}")


def _open(link: str) -> ResponseReturnValue:
    """Look at what a link brings, and show it."""
    opened, wallet = vault(), holder()
    try:
        if kind(link) is Kind.OFFER:
            target = f"/offers/{receive.look(opened, link, outside=wallet.outside, now=wallet.now()).id}"
        else:
            target = f"/requests/{present.look(opened, link, outside=wallet.outside, now=wallet.now()).id}"
    except SsiError as error:
        if wants_json() or (isinstance(error, Refused) and error.code == "account.locked"):
            raise
        return _scan_page(error, link=link)
    return json_answer({"next": target}) if wants_json() else redirect(target, 303)


def _scan_page(error: SsiError | None = None, *, link: str = "") -> Response:
    """The scan page, or what went wrong with a link, with the link ready to be tried again."""
    if error is None:
        return answer("holder/scan.html", {"formats": ["image/jpeg", "image/png", "image/webp"]})
    data = {"error": error.code, "error_description": error.detail}
    page = {"link": link.strip()[:MAX_LINK], "again": urlencode({"link": link}), "tell": _is_request(link)}
    return answer("holder/notopened.html", data, status=status_of(error), page=page)


def _is_request(link: str) -> bool:
    """Is there somebody who asks, and who could be told?"""
    try:
        return kind(link) is Kind.REQUEST
    except Malformed:
        return False


def _kind_or_why(text: str | None) -> dict[str, str] | None:
    """What the text is for this wallet: "offer", "request", or why it is neither."""
    if text is None:
        return None
    try:
        return {"is": kind(text).value}
    except Malformed as error:
        return {"not": error.detail}
