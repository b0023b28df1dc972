"""What becomes of one request, from its QR code to its verdict?

A response is received in three steps: the nonce is spent in one short write, the presentation is judged while no lock
is held, and the result is recorded in a second write. Whatever dies in between leaves a spent request without a
result, which reads as "could not check: interrupted", never as valid.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode, urlsplit

from ssi import oid4vp
from ssi.encoding import b64url, seconds
from ssi.errors import Malformed, Refused, SsiError
from ssi.jose.jwe import DecryptionKey
from ssi.model import Check, Finding, Presentation, TrustPolicy, failed
from verifier import ask as asking
from verifier import shown, words
from verifier.ask import Ask
from verifier.asker import Asker
from verifier.sealing import Sealer
from verifier.shown import Shown
from verifier.standing import GRACE, HERE, SCAN, declined, interrupted, judge
from verifier.store import Record, Result, Store
from verifier.verify import Answer, Verifier
from verifier.words import State, Words

MAX_PRESENTATIONS = 16


@dataclass(frozen=True)
class Spans:
    """How long a request can be answered, accepted claims are kept, and a finished request is remembered."""

    lifetime: timedelta = timedelta(minutes=5)
    retention: timedelta = timedelta(minutes=10)
    memory: timedelta = timedelta(days=1)


@dataclass(frozen=True)
class View:
    """All that may be shown of a request now. `credentials` is None unless verified and within retention.

    `awaiting_return`: answered on the same device, and the wallet has not come back to the starting browser yet.
    """

    id: str
    scan_id: str
    state: State
    words: Words
    ask: Ask
    created_at: int
    expires_at: int
    scan_link: str
    here_link: str
    request_uri: str
    findings: tuple[Finding, ...] = ()
    credentials: tuple[Shown, ...] | None = None
    claims_until: int | None = None
    erased: bool = False
    awaiting_return: bool = False


@dataclass(frozen=True)
class Receipt:
    """What the wallet is told: where to go next, and whether the presentation itself was refused and why."""

    redirect_uri: str | None
    refusal: Finding | None


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

    # -- the relying party's side ------------------------------------------------------------------------------

    def start(self, ask: Ask, *, browser: str | None, return_to: str | None) -> View:
        """Make a request.

        `browser` is the secret in the starting browser's cookie, None for an API client; `return_to` is where a
        same-device answer to an API client leads back to.
        """
        now, request_id = seconds(self.clock()), self._secret()
        key = None
        if ask.response_mode == asking.DIRECT_POST_JWT:  # HAIP 1.0 §5: a fresh key for each request
            key = self.sealer.seal(DecryptionKey.generate().to_json(), context=f"key:{request_id}")
        record = Record(
            id=request_id,
            scan_id=self._secret(),
            here_id=self._secret(),
            browser=None if browser is None else digest(browser),
            ask=ask.json,
            nonce=self._secret(),
            state=self._secret(),
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
            raise unknown()
        if response_code is not None and self._is_code_of(record, response_code):
            record = self._returned(record)
        return self._view(record)

    def come_back(self, response_code: str, *, browser: str) -> str:
        """The id of the request whose wallet led this browser back (OpenID4VP 1.0 §8.2, §14.2).

        Raises Refused (`session.unknown`; `session.other_browser` where another browser began it).
        """
        record = self.store.find_code(digest(response_code))
        if record is None:
            raise unknown()
        if record.browser != digest(browser):
            raise Refused(
                "session.other_browser",
                "This request was begun in another browser: go back to it, and see the result there.",
            )
        return self._returned(record).id

    def sweep(self) -> None:
        """Erase what has been kept long enough."""
        now = self.clock()
        self.store.sweep(now=seconds(now), forget_before=seconds(now - self.spans.memory))

    # -- the wallet's side -------------------------------------------------------------------------------------

    def request_object(self, public_id: str, *, wallet_nonce: str | None = None) -> str:
        """The signed request; a wallet may fetch it again until it has answered or time is up.

        Raises Refused (`session.unknown`, `session.expired`, `session.spent`).
        """
        now = self.clock()
        record = self._open(public_id, now=now)
        if record.scanned_at is None:
            self.store.mark_scanned(record.id, at=seconds(now))
        remaining = timedelta(seconds=record.expires_at - seconds(now))
        return oid4vp.sign_request(
            self._request(record, public_id, self._keys(record)),
            signer=self.asker.signer,
            x5c=self.asker.x5c,
            now=now,
            lifetime=remaining,
            wallet_nonce=wallet_nonce,
        )

    def link_of(self, public_id: str) -> str:
        """The link that the QR code of a request holds. Raises like `request_object`."""
        record = self._open(public_id, now=self.clock())
        return self.asker.link_to_scan(record.scan_id)

    def receive(self, public_id: str, form: Mapping[str, str]) -> Receipt:
        """Take a wallet's answer, once.

        What cannot be read, or answers something else, is refused and changes nothing: Malformed (`oid4vp.*`,
        `jose.*`), Refused (`session.unknown`, `session.expired`, `session.spent`, `session.state`).
        """
        now = self.clock()
        record = self._open(public_id, now=now)
        ask, keys = asking.read(record.ask), self._keys(record)
        response = oid4vp.read_response(form, response_mode=ask.response_mode, keys=keys)
        if not hmac.compare_digest((response.state or "").encode(), record.state.encode()):
            raise Refused("session.state", "The answer's state does not belong to this request.")
        presented = _presentations(ask, response.vp_token or {})
        door = HERE if public_id == record.here_id else SCAN
        code = self._secret() if door == HERE else None
        if not self.store.spend(record.id, at=seconds(now), door=door, response_code=code and digest(code)):
            raise spent()
        if response.vp_token is None:
            self._record(record.id, declined(response.error), since=now)
            return Receipt(self._way_back(record, code), None)
        challenge = oid4vp.challenge(self._request(record, public_id, keys))
        answer = self.verifier.verify_response(
            ask.query, presented, challenge=challenge, policy=ask.policy(self.trust), now=now
        )
        self._record(record.id, self._result(record.id, ask, answer, now=now), since=now)
        return Receipt(self._way_back(record, code), _refusal(answer.findings))

    # -- inside ------------------------------------------------------------------------------------------------

    def _open(self, public_id: str, *, now: datetime) -> Record:
        """The record behind a public id, if it can still be answered."""
        record = self.store.find_public(public_id)
        if record is None:
            raise unknown()
        if record.spent_at is not None:
            raise spent()
        if seconds(now) >= record.expires_at:
            raise Refused("session.expired", "The time to answer this request is over. Ask for a new one.")
        return record

    def _request(self, record: Record, public_id: str, keys: Sequence[DecryptionKey]) -> oid4vp.AuthorizationRequest:
        nonce, state = record.nonce, record.state
        return self.asker.request(asking.read(record.ask), public_id, nonce=nonce, state=state, keys=keys)

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
        kept = state is State.VERIFIED and record.claims is not None and seconds(now) < (record.claims_until or 0)
        return View(
            id=record.id,
            scan_id=record.scan_id,
            state=state,
            words=said,
            ask=asking.read(record.ask),
            created_at=record.created_at,
            expires_at=record.expires_at,
            scan_link=self.asker.link_to_scan(record.scan_id),
            here_link=self.asker.link_from_here(record.here_id),
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


def _presentations(ask: Ask, vp_token: Mapping[str, Sequence[str]]) -> dict[str, tuple[Presentation, ...]]:
    """The presentations by credential query; what was not asked for has no format, and so fails to open."""
    if sum(len(found) for found in vp_token.values()) > MAX_PRESENTATIONS:
        raise Malformed("session.too_many", f"The answer holds more than {MAX_PRESENTATIONS} presentations.")
    found = {}
    for query_id, wires in vp_token.items():
        credential = ask.query.credential(query_id)
        format_id = credential.format if credential else ""
        found[query_id] = tuple(Presentation(format_id, wire) for wire in wires)
    return found


def _refusal(findings: Sequence[Finding]) -> Finding | None:
    """The first failure of the presentation itself, which its wallet should hear of.

    What the relying party thinks of issuers, dates and rules is told to the relying party only.
    """
    proof = {Check.FORMAT, Check.SIGNATURE, Check.HOLDER_BINDING}
    return next((finding for finding in failed(findings) if finding.check in proof), None)


def digest(secret: str) -> str:
    """How secrets that are only ever compared are stored: SHA-256, hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()


def unknown() -> SsiError:
    """The answer for every id that leads nowhere, whatever the reason."""
    return Refused("session.unknown", "There is no such request. The link may be incomplete, or too old.")


def spent() -> SsiError:
    """The answer to a second response."""
    return Refused("session.spent", "This request has been answered already. An answer counts once.")
