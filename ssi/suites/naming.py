"""Does each member of a signed document go by the name under which everybody looks for it?

A signature over RDF covers what a document says, and neither its members' names nor its contexts. A holder could write
`https://www.w3.org/2018/credentials#validUntil` or, with a context of the holder's own, any other word where the issuer
wrote `validUntil`: the statements and so the signature stay, and whoever reads the document as JSON finds no end of its
validity, no status, no subject to be bound to. That is what Data Integrity 1.0 §4.6 "Context Validation" is against;
here such documents are refused when they are signed and when they are verified.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from ssi.encoding import Json
from ssi.errors import Malformed
from ssi.jsonld.blanknodes import Labels
from ssi.jsonld.limits import DEFAULT
from ssi.jsonld.scoping import typed
from ssi.jsonld.terms import Active
from ssi.jsonld.walking import Walk

CREDENTIALS: Final = "https://www.w3.org/2018/credentials#"
_SECURITY: Final = "https://w3id.org/security#"
USUAL: Final[Mapping[str, str]] = {
    "@id": "id",
    "@type": "type",
    "http://purl.org/dc/terms/created": "created",
    f"{_SECURITY}expiration": "expires",
    **{
        f"{_SECURITY}{name}": name
        for name in ("challenge", "cryptosuite", "domain", "nonce", "previousProof", "proof", "proofPurpose")
    },
    **{f"{_SECURITY}{name}": name for name in ("proofValue", "verificationMethod")},
}
"""What programs look for by name, besides all of the credentials vocabulary, whose names are its IRIs' last parts."""


def check(document: Mapping[str, Json]) -> None:
    """Return when every member has its usual name. Raises Malformed (`suite.name`, `jsonld.*`), Unsupported."""
    if not _is_plain(document):
        _Named(limits=DEFAULT, labels=Labels()).document(dict(document))


def _is_plain(document: Mapping[str, Json]) -> bool:
    """All contexts are by name, which give no two names to anything in `USUAL`, and no member is named by an IRI."""
    level: list[Json] = [dict(document)]
    while level:
        below: list[Json] = []
        for value in level:
            if isinstance(value, list):
                below += value
            elif isinstance(value, dict):
                for name, member in value.items():
                    if name == "@context":
                        if not all(
                            isinstance(each, str) for each in (member if isinstance(member, list) else [member])
                        ):
                            return False
                    elif name[:1] == "@" or ":" in name:
                        return False
                    elif not isinstance(member, str):
                        below.append(member)
        level = below
    return True


class _Named(Walk):
    """A walk that also looks at the names."""

    def _node(self, element: dict[str, Json], outer: Active, graph: str, depth: int) -> str:
        odd = element.keys() - _usual_terms(active := typed(element, outer, budget=self._budget))
        for name in odd:
            term = active.terms.get(name)
            iri = active.expand(name, vocab=True) if term is None else term.iri
            if (term is None and ":" in name) or (iri is not None and _is_odd(name, iri, active)):
                raise Malformed("suite.name", "The document has a member under a name where nobody would look for it.")
        return super()._node(element, outer, graph, depth)


@lru_cache(maxsize=256)
def _usual_terms(active: Active) -> frozenset[str]:
    """The names that a context defines and that are as they should be."""
    return frozenset(
        name for name, term in active.terms.items() if term.iri is not None and not _is_odd(name, term.iri, active)
    )


def _is_odd(name: str, iri: str, active: Active) -> bool:
    if iri.startswith(CREDENTIALS):
        return iri[len(CREDENTIALS) :] not in ("", name)  # "": the vocabulary's own prefix
    usual = USUAL.get(iri)
    if usual is None or name == usual:
        return False
    return iri[0] != "@" or usual in active.terms  # keywords are as good as their names where these are not defined
