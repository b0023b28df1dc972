"""Does what was presented answer the query, wholly and with nothing beside it (OpenID4VP 1.0 §6.4.2 and §8.6)?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ssi import formats
from ssi.dcql.authorities import certified_by_any
from ssi.dcql.matching import answered
from ssi.dcql.query import CredentialQuery, CredentialSet, Query
from ssi.dcql.reading import Meter, Reading
from ssi.errors import SsiError
from ssi.model import Check, Finding, Opened, Outcome

Presented = Mapping[str, Sequence[Opened]]


def misplaced(query: Query, counts: Mapping[str, int]) -> tuple[Finding, ...]:
    """RULE failures that a response's shape alone shows (§8.1): ids that were not asked for, too many for one id.

    `counts` are presentations by id. Worth asking before any of them is opened: opening may mean asking the network.
    """
    found = []
    if any(query.credential(name) is None for name in counts):
        found.append(_no("dcql.unexpected", "The response holds a credential that was not asked for."))
    for asked in query.credentials:
        if counts.get(asked.id, 0) > 1 and not asked.multiple:
            sentence = "More than one credential was presented where one was asked for."
            found.append(_no("dcql.multiple", sentence, {"query": asked.id}))
    return tuple(found)


def satisfied(query: Query, presented: Presented) -> tuple[Finding, ...]:
    """RULE findings on a whole response: what is missing, superfluous or of the wrong kind, or one PASS for all.

    `presented` maps the query's ids to what could be opened; presentations that could not are failures already.
    """
    found = [*misplaced(query, {name: len(some) for name, some in presented.items()})]
    for asked in query.credentials:
        found.extend(_judge(asked, presented.get(asked.id, ())))
    found.extend(_missing(one, presented) for one in query.sets if one.required and not _met(one, presented))
    return tuple(found) or (_finding(Outcome.PASS, "dcql.satisfied", "All that was asked for was presented."),)


def _judge(asked: CredentialQuery, presented: Sequence[Opened]) -> list[Finding]:
    """What is wrong with the presentations for one credential query."""
    evidence = {"query": asked.id}
    wrong = [one for one in presented if not _of_kind(asked, one)]
    if wrong:
        return [_no("dcql.meta", "The presented credential is not of the kind that was asked for.", evidence)]
    if not all(_from_authority(asked, one) for one in presented):
        return [_no("dcql.authority", "The credential does not come from an authority that was asked for.", evidence)]
    if not all(_has_claims(asked, one) for one in presented):
        sentence = "A claim that was asked for is missing, or has another value than was asked for."
        return [_no("dcql.claims", sentence, evidence)]
    return []


def _has_claims(asked: CredentialQuery, opened: Opened) -> bool:
    """A credential in which it takes too long to look has them as little as one without them."""
    try:
        return answered(asked, Reading(opened, Meter())) is not None
    except SsiError:
        return False


def _from_authority(asked: CredentialQuery, opened: Opened) -> bool:
    """§6.1.1: those "that the Verifier will accept". Only key identifiers show in the credential itself.

    Lists and federations are for whoever judges trust, as the issuer's own trustworthiness is in any case.
    """
    shows = all(entry.type == "aki" for entry in asked.authorities)
    return not shows or certified_by_any(asked.authorities, opened.issuer)


def _of_kind(asked: CredentialQuery, opened: Opened) -> bool:
    return opened.format == asked.format and formats.by_id(asked.format).meets(asked.meta, opened)


def _met(one: CredentialSet, presented: Presented) -> bool:
    return any(all(presented.get(name) for name in option) for option in one.options)


def _missing(one: CredentialSet, presented: Presented) -> Finding:
    absent = [name for name in one.options[0] if not presented.get(name)]
    return _no("dcql.missing", "A credential that was asked for was not presented.", {"query": absent[0]})


def _no(code: str, detail: str, evidence: Mapping[str, str] | None = None) -> Finding:
    return _finding(Outcome.FAIL, code, detail, evidence)


def _finding(outcome: Outcome, code: str, detail: str, evidence: Mapping[str, str] | None = None) -> Finding:
    return Finding(Check.RULE, outcome, code, detail, evidence or {})
