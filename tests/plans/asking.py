"""A verifier as the wallet's plans have it: asks Ada's wallet for her card in one format, and reads what she sends."""

from __future__ import annotations

import copy
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ssi import formats, oid4vp
from ssi.encoding import Json
from ssi.issuerkeys import Keys
from ssi.model import Check, Opened, Presentation
from tests.holder.test_holder_asks import KEY, Asker, changed
from tests.holder.test_holder_formats import FORMS, Form, FormIssuer, FormTown
from tests.holder.town import ISSUER, SHOP, WALLET, Person
from wallet.holder import present
from wallet.holder.web.access import Holder, vault

SD_JWT, MDOC = FORMS[0], next(form for form in FORMS if form.format == "mso_mdoc")


@dataclass
class Meeting:
    """Ada with her card, and somebody who asks: plainly, or by HAIP (a wallet of that profile, encrypted answers)."""

    folder: Path
    form: Form
    haip: bool
    town: FormTown = field(init=False)
    asker: Asker = field(init=False)

    def __post_init__(self) -> None:
        self.town = FormTown(self.folder)
        self.town.world[ISSUER] = self.town.issuer = FormIssuer(self.folder, self.town.clock, form=self.form)
        self.person = Person.joins(self.town.app(), "Ada")
        self.person.accepts(self.town)
        changed(self.person, haip=self.haip)

    def again(self) -> Meeting:
        """The same Ada, and another one who asks: nothing is left of an earlier test."""
        meeting = copy.copy(self)
        meeting.asker = self.town.world[SHOP] = self.town.shop = Asker(self.folder, self.town.clock)
        meeting.asker.nonce = secrets.token_urlsafe(32)
        meeting.asker.encrypts = False
        meeting.asker.changes = meeting.mode
        meeting.ask("given_name", "family_name")
        return meeting

    @staticmethod
    def at(minted: Path, folder: Path, form: Form, *, haip: bool) -> Meeting:
        return Meeting(Path(shutil.copytree(minted, folder)), form, haip)

    @property
    def mode(self) -> dict[str, Any]:
        if self.haip:
            return {"response_mode": oid4vp.DIRECT_POST_JWT, "encryption_keys": (KEY.public_jwk,)}
        return {"response_mode": oid4vp.DIRECT_POST}

    def change(self, **changes: Any) -> None:
        """Change parameters of the request; whatever is not known of a request goes to `asker.raw`."""
        self.asker.changes = {**self.asker.changes, **changes}

    def card(self, name: str, *claims: str) -> dict[str, Any]:
        said = {"claims": [{"path": [*self.form.root, claim]} for claim in claims]} if claims else {}
        return {"id": name, "format": self.form.format, "meta": self.form.meta, **said}

    def other(self, name: str) -> dict[str, Any]:
        """A card that Ada does not have."""
        meta = {"vct_values": ["urn:other"]} if self.form is SD_JWT else {"doctype_value": "org.other"}
        return {**self.card(name, "given_name"), "meta": meta}

    def ask(self, *claims: str) -> None:
        self.asker.query = {"credentials": [self.card("person", *claims)]}

    # --- what Ada does ---

    def open(self, link: str | None = None) -> tuple[int, dict[str, Any]]:
        answer = self.person.post("/open", link=link or self.asker.link)
        return answer.status_code, dict(answer.json)

    def share(self, link: str | None = None) -> dict[str, Any]:
        """Open the request and say yes."""
        status, said = self.open(link)
        assert status == 200, said
        return self.agree(said["next"])

    def agree(self, place: str) -> dict[str, Any]:
        done = self.person.post(f"{place}/share").json
        assert done.get("request", {}).get("state") == "shared", done
        return dict(done["request"])

    def page(self, call: Mapping[str, Any], origin: str = SHOP) -> str:
        """What the platform hands over from a page, and where its consent page is. Raises SsiError."""
        app = self.person.client.application
        cookie = self.person.client.get_cookie("__Host-facet-wallet", domain="localhost")
        assert cookie is not None
        with app.test_request_context(base_url=WALLET, headers={"Cookie": f"__Host-facet-wallet={cookie.value}"}):
            wallet: Holder = app.extensions["holder"]
            found = present.look_at_page(
                vault(), call["protocol"], call["data"], origin=origin, outside=wallet.outside, now=self.town.clock()
            )
        return f"/requests/{found.id}"

    # --- what arrives ---

    def answered(
        self, answer: oid4vp.Response | None = None, request: oid4vp.AuthorizationRequest | None = None
    ) -> Any:
        """The claims that arrived, by query id; each presentation verified: all findings pass."""
        asked = request or self.asker.request
        if answer is None:
            (form,) = self.asker.received
            assert ("response" in form) == self.haip
            answer = oid4vp.read_response(form, response_mode=asked.response_mode, keys=(KEY,))
        assert answer.vp_token is not None
        assert answer.state == asked.state
        return {name: self._claims(one, asked) for name, (one,) in answer.vp_token.items()}

    def _claims(self, wire: str, request: oid4vp.AuthorizationRequest) -> Mapping[str, Json]:
        opened: Opened = formats.by_id(self.form.format).open(
            Presentation(self.form.format, wire),
            challenge=oid4vp.challenge(request),
            keys=Keys(self.town.fetch),
            now=self.town.clock(),
        )
        assert {one.outcome.value for one in opened.findings if one.check is not Check.STATUS} == {"pass"}
        claims: Any = opened.claims
        for name in self.form.root:
            claims = claims[name]
        return {name: claims[name] for name in claims if name not in ("vct", "iss", "cnf", "exp", "iat", "status")}

    def nothing_came(self) -> None:
        assert (self.asker.received, self.asker.told) == ([], [])
