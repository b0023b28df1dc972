"""Which presentation authorises which transaction, and is every one of them authorised (OpenID4VP 1.0 §5.1, §8.4)?

A wallet chooses which of the credentials that a transaction names authorises it. Its own word for that is taken from
the proof, and proved when the format opens the presentation against a challenge that holds just those transactions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ssi.model import Challenge, Check, Finding, Outcome, Presentation
from ssi.oid4vp.transactions import covered


def challenges(
    challenge: Challenge, presented: Mapping[str, tuple[Presentation, ...]]
) -> Mapping[str, tuple[Challenge, ...]]:
    """What each presentation must be bound to: `challenge` with only the transactions that it says it authorises."""
    if not challenge.transaction_data:
        return {query_id: (challenge,) * len(found) for query_id, found in presented.items()}
    return {
        query_id: tuple(
            replace(challenge, transaction_data=covered(one.wire, challenge.transaction_data, query_id=query_id))
            for one in found
        )
        for query_id, found in presented.items()
    }


def judge(challenge: Challenge, authorised: Iterable[str]) -> tuple[Finding, ...]:
    """A finding on each transaction; `authorised` are those in presentations whose holder's proof was found good."""
    done = frozenset(authorised)
    return tuple(_PASS if raw in done else _FAIL for raw in challenge.transaction_data)


_PASS = Finding(
    Check.HOLDER_BINDING,
    Outcome.PASS,
    "transaction.authorised",
    "The holder has signed the very transaction that they were asked to authorise.",
)
_FAIL = Finding(
    Check.HOLDER_BINDING,
    Outcome.FAIL,
    "transaction.not_authorised",
    "The holder was asked to authorise a transaction, and has not signed it.",
)
