"""What becomes of one request, from its QR code to its verdict?

A response is received in three steps: the nonce is spent in one short write, the presentation is judged while no lock
is held, and the result is recorded in a second write. Whatever dies in between leaves a spent request without a
result, which reads as "could not check: interrupted", never as valid.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from urllib.parse import urlencode, urlsplit

from ssi import haip, oid4vp
from ssi.encoding import Json, b64url, seconds
from ssi.errors import Refused
from ssi.jose.jwe import DecryptionKey
from ssi.model import TrustPolicy
from ssi.oid4vp import WalletCall
from verifier import ask as asking
from verifier import refusals, shown, words
from verifier.ask import Ask
from verifier.asker import Asker
from verifier.policy import Policy
from verifier.sealing import Sealer
from verifier.shown import Shown
from verifier.standing import BROWSER, GRACE, HERE, PAGE, SCAN, declined, interrupted, judge, strayed
from verifier.store import Record, Result, Store
from verifier.verify import Answer, Verifier
from verifier.viewing import Receipt, Spans, View, refusal
from verifier.words import State


@dataclass(frozen=True)
class Sessions:
    """The requests of this verifier. All its methods raise Unavailable (`store.unavailable`) when the store is away."""

    store: Store
    verifier: Verifier
    trust: TrustPolicy
    asker: Asker
    sealer: Sealer
    spans: Spans
    clock: Callable[[], datetime]
    random: Callable[[int], bytes] = field(repr=False)
    haip: bool = False

    # -- the relying party's side ------------------------------------------------------------------------------

    def start(self, ask: Ask, *, browser: str | None, return_to: str | None) -> View:
        """Make a request.

        `browser` is the secret in the starting browser's cookie, None for an API client; `return_to` is where a
        same-device answer to an API client leads back to. Raises Refused (`haip.*`) for what the profile forbids.
        """
        if self.haip:
            ask = asking.in_profile(ask)
        now, request_id = seconds(self.clock()), self._secret()
        key = None
        if ask.encrypted:  # HAIP 1.0 §5: a fresh key for each request
            key = self.sealer.seal(DecryptionKey.generate().to_json(), context=f"key:{request_id}")
        here_id = self._secret()
        record = Record(
            id=request_id,
            scan_id=self._secret(),
            here_id=here_id,
            browser=None if browser is None else digest(browser),
            ask=ask.json,
            nonce=self._secret(),
            state=self._secret() if ask.scannable else here_id,  # an answer in an address is found again by its state
            key=key,
            return_to=return_to,
            created_at=now,
            expires_at=now + int(self.spans.lifetime.total_seconds()),
        )
        self.store.add(record)
        return self._view(record)

    def look(self, request_id: str, *, browser: str | None = None, response_code: str | None = None) -> View:
        """A request as its starter may see it.

        A `browser` must be the one that started it. An API client (None) sees a same-device answer only with the
        `response_code` that its own page received. Somebody else's request is as unknown as none at all.
        Raises Refused (`session.unknown`).
        """
        record = self.store.find(request_id)
        if record is None or (browser is not None and record.browser != digest(browser)):
            raise refusals.unknown()
        if response_code is not None and self._is_code_of(record, response_code):
            record = self._returned(record)
        return self._view(record)

    def come_back(self, response_code: str, *, browser: str) -> str:
        """The id of the request whose wallet led this browser back (OpenID4VP 1.0 §8.2, §14.2).

        Where another browser began it, the answer is not used (HAIP 1.0 §5.1). Raises Refused (`session.unknown`,
        `session.other_browser`).
        """
        record = self.store.find_code(digest(response_code))
        if record is None:
            raise refusals.unknown()
        if record.browser != digest(browser):
            if record.returned_at is None:
                self.store.reject(record.id, strayed(), at=seconds(self.clock()))
            raise refusals.other_browser()
        return self._returned(record).id

    def browser_requests(self, request_id: str, *, browser: str | None = None) -> list[Mapping[str, Json]]:
        """What a page hands to the browser's API to ask a wallet there (Appendix A).

        Raises Refused (`session.unknown`, `session.expired`, `session.spent`).
        """
        now = self.clock()
        record = self._checked(self.store.find(request_id), now=now)
        if browser is not None and record.browser != digest(browser):
            raise refusals.unknown()
        request = self._browser_request(record, self._keys(record))
        return self.asker.browser_requests(request, now=now, lifetime=self._remaining(record, now))

    def sweep(self) -> None:
        """Erase what has been kept long enough."""
        now = self.clock()
        self.store.sweep(now=seconds(now), forget_before=seconds(now - self.spans.memory))

    # -- the wallet's side -------------------------------------------------------------------------------------

    def request_object(self, public_id: str, *, wallet: WalletCall | None = None) -> str:
        """The request object; a wallet may fetch it again until it has answered or time is up.

        Raises Refused (`session.unknown`, `session.expired`, `session.spent`), Unsupported (`oid4vp.wallet_*`).
        """
        now = self.clock()
        record = self._open(public_id, now=now)
        request = self._request(record, public_id, self._keys(record))
        token = self.asker.request_object(
            request, wallet=wallet or WalletCall(), now=now, lifetime=self._remaining(record, now)
        )
        if record.scanned_at is None:
            self.store.mark_scanned(record.id, at=seconds(now))
        return token

    def link_of(self, public_id: str) -> str:
        """The link that the QR code of a request holds. Raises like `request_object`."""
        record = self._open(public_id, now=self.clock())
        return self._links(record)[0]

    def receive(self, public_id: str, form: Mapping[str, str]) -> Receipt:
        """Take an answer that a wallet posts, once.

        What cannot be read, or answers something else, is refused and changes nothing: Malformed (`oid4vp.*`,
        `jose.*`), Refused (`session.unknown`, `session.expired`, `session.spent`, `session.state`, `session.mode`).
        """
        now = self.clock()
        record = self._open(public_id, now=now)
        ask, keys = asking.read(record.ask), self._keys(record)
        if not ask.scannable:
            raise refusals.other_way()
        response = self._by_link(record, ask, form, keys)
        door = HERE if public_id == record.here_id else SCAN
        return self._settle(record, response, self._request(record, public_id, keys), door=door, now=now)

    def receive_address(self, form: Mapping[str, str], *, browser: str) -> tuple[str, Receipt]:
        """Take an answer that came in a browser's address (response mode `fragment`), and the request's id.

        Only the browser that began a request may bring it (§14.2). Raises like `receive`; also Refused
        (`session.other_browser`), which leaves the request as it was.
        """
        now = self.clock()
        record = self._open(form.get("state", ""), now=now)
        ask, keys = asking.read(record.ask), self._keys(record)
        if ask.scannable:
            raise refusals.other_way()
        if record.browser is not None and record.browser != digest(browser):
            raise refusals.other_browser()
        response = self._by_link(record, ask, form, keys)
        door = PAGE if record.return_to is None else HERE
        request = self._request(record, record.here_id, keys)
        return record.id, self._settle(record, response, request, door=door, now=now)

    def receive_browser(self, request_id: str, data: Json, *, browser: str) -> Receipt:
        """Take an answer that the browser's API gave to the page that began this request (Appendix A.4).

        An error other than the person's no leaves the request open: code and link still work. Raises like `receive`;
        also Refused (`session.wallet_error`).
        """
        record = self._checked(self.store.find(request_id), now=self.clock())
        if record.browser != digest(browser):
            raise refusals.unknown()
        return self._by_browser(record, data)

    def receive_relayed(self, public_id: str, data: Json) -> Receipt:
        """The same from an API client's own page. Raises like `receive_browser`; Refused (`session.mode`)."""
        record = self._open(public_id, now=self.clock())
        if record.browser is not None:
            raise refusals.unknown()
        if asking.read(record.ask).response_mode not in oid4vp.DC_MODES:
            raise refusals.other_way()
        return self._by_browser(record, data)

    # -- inside ------------------------------------------------------------------------------------------------

    def _open(self, public_id: str, *, now: datetime) -> Record:
        """The record behind a public id, if it can still be answered."""
        return self._checked(self.store.find_public(public_id), now=now)

    def _checked(self, record: Record | None, *, now: datetime) -> Record:
        if record is None:
            raise refusals.unknown()
        if record.spent_at is not None:
            raise refusals.spent()
        if seconds(now) >= record.expires_at:
            raise refusals.expired()
        return record

    def _remaining(self, record: Record, now: datetime) -> timedelta:
        return timedelta(seconds=record.expires_at - seconds(now))

    def _request(self, record: Record, public_id: str, keys: Sequence[DecryptionKey]) -> oid4vp.AuthorizationRequest:
        nonce, state = record.nonce, record.state
        return self.asker.request(asking.read(record.ask), public_id, nonce=nonce, state=state, keys=keys)

    def _browser_request(self, record: Record, keys: Sequence[DecryptionKey]) -> oid4vp.AuthorizationRequest:
        return self.asker.browser_request(asking.read(record.ask), nonce=record.nonce, keys=keys)

    def _links(self, record: Record) -> tuple[str, str]:
        """What the QR code holds, and what opens a wallet on the same device."""
        keys = () if self.asker.identities else self._keys(record)  # a link with its whole request has the key in it
        doors = ((record.scan_id, self.asker.scan_link), (record.here_id, self.asker.here_link))
        scan, here = (self.asker.link(self._request(record, one, keys), one, base=base) for one, base in doors)
        return scan, here

    def _by_link(
        self, record: Record, ask: Ask, form: Mapping[str, str], keys: Sequence[DecryptionKey]
    ) -> oid4vp.Response:
        response = oid4vp.read_response(form, response_mode=ask.link_mode, keys=keys)
        if not hmac.compare_digest((response.state or "").encode(), record.state.encode()):
            raise refusals.state()
        return response

    def _by_browser(self, record: Record, data: Json) -> Receipt:
        ask, keys = asking.read(record.ask), self._keys(record)
        response = oid4vp.read_page_response(data, response_mode=ask.browser_mode, keys=keys)
        if response.error not in (None, "access_denied"):
            raise Refused("session.wallet_error", words.wallet_error(response.error))
        request = self._browser_request(record, keys)
        return self._settle(record, response, request, door=BROWSER, now=self.clock())

    def _settle(
        self,
        record: Record,
        response: oid4vp.Response,
        request: oid4vp.AuthorizationRequest,
        *,
        door: str,
        now: datetime,
    ) -> Receipt:
        """Spend the request, judge the answer, and record what was found."""
        ask = asking.read(record.ask)
        presented = ask.presentations(response)
        code = self._secret() if door == HERE else None
        if not self.store.spend(record.id, at=seconds(now), door=door, response_code=code and digest(code)):
            raise refusals.spent()
        if response.vp_token is None:
            self._record(record.id, declined(response.error), since=now)
            return Receipt(self._way_back(record, code), None)
        answer = self.verifier.verify_response(
            ask.query, presented, challenge=oid4vp.challenge(request), policy=self._policy(ask), now=now
        )
        self._record(record.id, self._result(record.id, ask, answer, now=now), since=now)
        return Receipt(self._way_back(record, code), refusal(answer.findings))

    def _policy(self, ask: Ask) -> Policy:
        """The ask's own conditions; under the profile also those of HAIP 1.0 §6.1."""
        policy = ask.policy(self.trust)
        return replace(policy, rules=(*policy.rules, haip.NamedKey())) if self.haip else policy

    def _keys(self, record: Record) -> tuple[DecryptionKey, ...]:
        if record.key is None:
            return ()
        return (DecryptionKey.from_json(self.sealer.open(record.key, context=f"key:{record.id}")),)

    def _result(self, request_id: str, ask: Ask, answer: Answer, *, now: datetime) -> Result:
        """What is written of a judged answer: claims only when it was accepted, only those asked for, and sealed."""
        findings = shown.write_findings(answer.findings)
        if not answer.accepted:
            return Result(answer.verdict.value, findings)
        claims = shown.write_shown(shown.show(ask.query, answer.opened))
        until = seconds(now + self.spans.retention)
        return Result(answer.verdict.value, findings, self.sealer.seal(claims, context=f"claims:{request_id}"), until)

    def _record(self, request_id: str, result: Result, *, since: datetime) -> None:
        """Record in time, or as interrupted: a page that has said "could not check" never changes its mind."""
        late = self.clock() - since >= GRACE
        self.store.record(request_id, interrupted() if late else result)

    def _way_back(self, record: Record, code: str | None) -> str | None:
        if code is None:
            return None
        target = record.return_to or f"{self.asker.base_url}/return"
        return f"{target}{'&' if urlsplit(target).query else '?'}{urlencode({'response_code': code})}"

    def _is_code_of(self, record: Record, response_code: str) -> bool:
        return record.response_code is not None and hmac.compare_digest(record.response_code, digest(response_code))

    def _returned(self, record: Record) -> Record:
        """Note that the person is back, unless that came too late."""
        now = seconds(self.clock())
        if record.returned_at is not None or now >= record.expires_at:
            return record
        self.store.mark_returned(record.id, at=now)
        return self.store.find(record.id) or record

    def _view(self, record: Record) -> View:
        now = self.clock()
        state, said, findings = judge(record, now=now)
        ask = asking.read(record.ask)
        scan_link, here_link = ("", "") if state.final else self._links(record)
        kept = state is State.VERIFIED and record.claims is not None and seconds(now) < (record.claims_until or 0)
        return View(
            id=record.id,
            scan_id=record.scan_id,
            state=state,
            words=said if ask.scannable else words.BY_LINK.get(state, said),
            ask=ask,
            created_at=record.created_at,
            expires_at=record.expires_at,
            scan_link=scan_link,
            here_link=here_link,
            request_uri=self.asker.request_uri(record.scan_id),
            findings=findings,
            credentials=self._credentials(record) if kept else None,
            claims_until=record.claims_until if state is State.VERIFIED else None,
            erased=state is State.VERIFIED and not kept,
            awaiting_return=said is words.AWAITING_RETURN,
        )

    def _credentials(self, record: Record) -> tuple[Shown, ...]:
        return shown.read_shown(self.sealer.open(record.claims or b"", context=f"claims:{record.id}"))

    def _secret(self) -> str:
        """144 random bits as 24 URL-safe characters."""
        return b64url(self.random(18))


def digest(secret: str) -> str:
    """How secrets that are only ever compared are stored: SHA-256, hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()
