"""Reviewing a request: who asks, why, what would they see, and which cards could answer? What a person must know."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from ssi import dcql, formats, oid4vp
from ssi.errors import Unsupported
from ssi.model import Check, ClaimPath, Finding, Issuer, Outcome
from ssi.oid4vp import Asker, SignedRequest, Transaction, transactions
from wallet.holder.cards import Card
from wallet.holder.claims import Line, label, snake
from wallet.holder.history import Who
from wallet.holder.outside import Outside
from wallet.holder.revealing import Revealed, reveal
from wallet.holder.statements import Statement, statements

SEEN_BEFORE: Final = (
    "Every copy of this card has been shown before. Those who saw this copy could find out together that it was you."
)
_MANY: Final = 4
_AGES: Final = ("age_over_", "age_equal_or_over_")
_STANDARD: Final[Mapping[str, str]] = {
    "org.iso.18013.5.1.mDL": "Mobile driving licence",
    "eu.europa.ec.eudi.pid.1": "Personal identification (PID)",
    "urn:eudi:pid:1": "Personal identification (PID)",
}
"""Kinds of card that everybody knows by a name that their type does not say."""

_IDENTIFYING: Final = frozenset(
    {
        *("id", "sub", "jti", "number", "document_number", "administrative_number", "personal_administrative_number"),
        *("portrait", "picture", "image", "photo", "signature_usual_mark", "e_mail", "email", "email_address"),
        *("phone_number", "mobile_phone_number"),
    }
)


@dataclass(frozen=True)
class Choice:
    """One card that can answer one question, what would be shown of it, and what a careful person would ask back."""

    card: Card
    paths: tuple[ClaimPath, ...]
    revealed: Revealed
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """One credential asked for, and the cards that can answer, best first; several of them where `multiple`."""

    id: str
    name: str
    choices: tuple[Choice, ...]
    multiple: bool = False


@dataclass(frozen=True)
class Part:
    """One thing the asker wants, perhaps optional: any one of the options answers it, each a set of questions."""

    required: bool
    options: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Review:
    """A request as the consent screen shows it. `trust` says why the asker's name is or is not believed.

    `transactions` are what a yes authorizes; `statements` what the asker brings about itself, unverified.
    """

    signed: SignedRequest
    trust: Finding | None
    questions: Mapping[str, Question]
    parts: tuple[Part, ...]
    missing: tuple[str, ...]
    transactions: tuple[Transaction, ...] = ()
    statements: tuple[Statement, ...] = ()

    @property
    def verified(self) -> bool:
        """Has a trusted authority vouched for the asker's name, and did they sign this request?"""
        return self.signed.asker.authenticated and self.trust is not None and self.trust.outcome is Outcome.PASS

    @property
    def who(self) -> Who:
        """The asker. An unverified one goes by the address that the answer would go to, never by a name of its own."""
        address = self.signed.request.destination
        host = urlsplit(address).netloc or address
        return Who(self.signed.asker.name if self.verified else host, host, self.verified)

    @property
    def answerable(self) -> bool:
        """Can everything that is required be answered?"""
        return bool(self.parts) and all(part.options for part in self.parts if part.required)


def review(signed: SignedRequest, cards: Sequence[Card], *, outside: Outside, now: datetime) -> Review:
    """Match a request with the person's cards. Nothing leaves the wallet."""
    query = signed.request.query
    holdings = [dcql.Holding(card.id, card.credential.format, card.opened) for card in cards]
    match = dcql.match(query, holdings, certified=_certified(outside, now))
    by_id = {card.id: card for card in cards}
    questions = {
        asked.id: Question(
            asked.id,
            _wanted(asked, cards),
            _ordered(
                [_choice(by_id[one.holding_id], one.paths, asked) for one in match.options.get(asked.id, ())], now=now
            ),
            asked.multiple,
        )
        for asked in query.credentials
    }
    parts = tuple(Part(one.required, one.options) for one in match.sets)
    return Review(
        signed,
        asked_by(signed.asker, outside=outside, now=now),
        questions,
        parts,
        _missing(query, match, questions),
        tuple(transactions.parse(raw) for raw in signed.request.transaction_data),
        statements(signed.request.verifier_info),
    )


def asked_by(asker: Asker, *, outside: Outside, now: datetime) -> Finding | None:
    """Is the asker who they say? None where nobody could tell, or nothing was proved."""
    if not asker.authenticated:
        return None
    if asker.prefix == oid4vp.PREREGISTERED:
        return Finding(Check.TRUST, Outcome.PASS, "trust.known_client", "This wallet has known them beforehand.")
    policy = outside.attesters if asker.statement == oid4vp.ATTESTATION_TYPE else outside.askers
    return None if policy is None else policy.judge(asker.issuer, asker.statement, now=now)


def _certified(outside: Outside, now: datetime) -> dcql.Certified:
    """Whom trusted lists and federations vouch for, as far as this wallet knows any; "unknown" is not yes."""
    known = outside.authorities

    def certified(kind: str, value: str, issuer: Issuer) -> bool:
        return known is not None and known.judge(kind, value, issuer, now=now).outcome is Outcome.PASS

    return certified


def _missing(query: dcql.Query, match: dcql.Match, questions: Mapping[str, Question]) -> tuple[str, ...]:
    """Why the request cannot be answered, for what is required and cannot be."""
    unmet = [one for one, left in zip(query.sets, match.sets, strict=True) if one.required and not left.options]
    return tuple(dict.fromkeys(reason for one in unmet for reason in _reasons(one, match, questions)))


def _reasons(unmet: dcql.CredentialSet, match: dcql.Match, questions: Mapping[str, Question]) -> list[str]:
    """Why none of the options can be had; of kinds that the person has none of only where they have nothing nearer."""
    found = {one.query_id: one.code for one in match.missing}
    lacking = [[name for name in option if name in found] for option in unmet.options]
    nearer = [name for option in lacking for name in option if found[name] in _REASONS]
    if nearer:
        return [_REASONS[found[name]].format(questions[name].name) for name in nearer]
    kinds = dict.fromkeys(" and ".join(dict.fromkeys(questions[name].name for name in option)) for option in lacking)
    return [f"They ask for a card that you do not have: {' or '.join(kinds)}."]


_REASONS: Final = {
    "dcql.no_binding": "Your card “{}” is bound to no key, so you could not prove that it is yours.",
    "dcql.no_authority": "They want the card “{}” from another issuer than the one you have it from.",
    "dcql.no_claims": "Your card “{}” does not say what they ask for.",
}


def _choice(card: Card, paths: tuple[ClaimPath, ...], asked: dcql.CredentialQuery) -> Choice:
    revealed = reveal(card, paths)
    return Choice(card, paths, revealed, (*_remarks(card, revealed), *_kept(card, paths, asked)))


def _kept(card: Card, paths: tuple[ClaimPath, ...], asked: dcql.CredentialQuery) -> tuple[str, ...]:
    """What the asker says that it will keep, of what would be shown."""
    retained = {claim.path for claim in asked.claims if claim.retained}
    names = [label(path, kind=card.kind, labels=card.labels) for path in paths if path in retained]
    return (f"They say that they will keep: {', '.join(dict.fromkeys(names))}.",) if names else ()


def _ordered(choices: list[Choice], *, now: datetime) -> tuple[Choice, ...]:
    """Cards that are in good standing first; the order is otherwise the newest first."""
    return tuple(sorted(choices, key=lambda choice: choice.card.standing(now=now).kind == "bad"))


def _remarks(card: Card, revealed: Revealed) -> tuple[str, ...]:
    """Where less would do, or where more is asked than a person may notice."""
    asked = [_names(card, line) for line in revealed.asked]
    remarks = []
    ages = [line for line in card.lines if _names(card, line)[:1] and _names(card, line)[0].startswith(_AGES)]
    if ages and any(names in (["birthdate"], ["birth_date"]) for names in asked):
        said = next((line.label for line in ages if _names(card, line) == ["age_over_18"]), ages[0].label)
        remarks.append(f"They ask for your full date of birth. This card can also say just “{said}” or the like.")
    if any(names[-1] in _IDENTIFYING for names in asked if names):
        remarks.append("They ask for something that only you have, so others can recognise you by it.")
    if not revealed.hidden and not revealed.always and len(revealed.asked) >= _MANY:
        remarks.append("They ask for everything on this card.")
    if card.recognisable:
        remarks.append(SEEN_BEFORE)
    if not card.disclosed and revealed.always:
        remarks.append("Nothing on this card can be hidden: they will see all of it, whatever they ask for.")
    return tuple(remarks)


def _names(card: Card, line: Line) -> list[str]:
    """The names on a claim's path, as they are usually written."""
    return [snake(part) for part in card.kind.within(line.path) if isinstance(part, str)]


def _wanted(asked: dcql.CredentialQuery, cards: Sequence[Card]) -> str:
    """What kind of card is asked for: by the name it has in this wallet, else by its type."""
    types = _types(asked)
    known = next((card.name for card in cards if card.type in types), None)
    if known is not None:
        return known
    standard = next((_STANDARD[one] for one in types if one in _STANDARD), None)
    if standard is not None:
        return standard
    kind = types[0].rstrip("/") if types else ""
    words = re.split("[/:#]", kind) if re.search("[/:#]", kind) else kind.split(".")
    named = next((word for word in reversed(words) if word and not word.isdigit()), asked.id)
    return label((named.replace("-", "_"),)).removesuffix(" credential")


def _types(asked: dcql.CredentialQuery) -> tuple[str, ...]:
    try:
        return formats.by_id(asked.format).asked(asked.meta)
    except Unsupported:
        return ()
