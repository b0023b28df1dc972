"""Context processing: what holds after this `@context`? Each answer is computed once (JSON-LD 1.1 API §4.1.2).

Contexts are remembered by the URLs that led to them, and scoped ones by the term inside the context that has them: a
document that brings nothing but pinned URLs costs look-ups only. Contexts written into documents are strangers' bytes:
bounded in size, and few are remembered.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import orjson

from ssi.encoding import Json
from ssi.errors import Malformed, Unsupported
from ssi.jsonld.contexts import MAX_CONTEXTS, inline_key, loaded
from ssi.jsonld.defining import Definitions
from ssi.jsonld.iris import MAX_TERM, absolute, language_tag
from ssi.jsonld.limits import Budget
from ssi.jsonld.terms import EMPTY, Active, Term, compact_iri

_MAX_KEPT: Final = 64
_MAX_TERMS_KEPT: Final = 256
_ABOUT_CONTEXTS: Final = frozenset(
    {"@base", "@direction", "@import", "@language", "@propagate", "@protected", "@version", "@vocab"}
)


def embedded(active: Active, context: Json, *, budget: Budget) -> Active:
    """What holds in an object that has this `@context`, below `active`."""
    entries = context if isinstance(context, list) else [context]
    if len(entries) > MAX_CONTEXTS:
        raise Malformed("jsonld.context_size", f"The document lists more than {MAX_CONTEXTS} contexts.")
    if all(isinstance(entry, str) for entry in entries):
        return _after_urls(active, tuple(entries), budget)
    for entry in entries:
        if isinstance(entry, str):
            active = _after_urls(active, (entry,), budget)
        else:
            active = _inline(active, inline_key(entry), budget)
    return active


def of_property(active: Active, term: Term, *, budget: Budget) -> Active:
    """What holds inside the values of a term that has a context of its own (API §5.1.2 step 8)."""
    if active.terms.get(term.name) is not term:  # the name came from a type's context, which ends here
        return extended(active, term.scoped, budget=budget, override=True)
    key = ("property", term.name)
    found = active.kept.get(key)
    if found is None:
        found = _keep(active, key, extended(active, term.scoped, budget=budget, override=True))
    return found


def of_types(active: Active, types: list[str], *, budget: Budget) -> Active:
    """What holds in a node of these types, of which some have contexts of their own (API §5.1.2 step 11)."""
    scoping = sorted({each for each in types if each in active.scoping})
    if not scoping:
        return active
    key = ("types", *scoping)
    found = active.kept.get(key)
    if found is None:
        found = active
        for name in scoping:  # terms are looked up in the context before any of them
            found = extended(found, active.terms[name].scoped, budget=budget, propagate=False)
        _keep(active, key, found)
    return found


@lru_cache(maxsize=64)
def _of_urls(urls: tuple[str, ...], budget: Budget) -> Active:
    """The context of a document that lists these URLs; lists that begin alike share the work."""
    return EMPTY if not urls else extended(_of_urls(urls[:-1], budget), urls[-1], budget=budget)


def _after_urls(active: Active, urls: tuple[str, ...], budget: Budget) -> Active:
    if active is EMPTY:
        return _of_urls(urls, budget)
    key = ("urls", *urls)
    found = active.kept.get(key)
    if found is None:
        found = active
        for url in urls:
            found = extended(found, url, budget=budget)
        _keep(active, key, found)
    return found


@lru_cache(maxsize=16)
def _inline(active: Active, key: bytes, budget: Budget) -> Active:
    return extended(active, orjson.loads(key), budget=budget)


def _keep(active: Active, key: tuple[str, ...], found: Active) -> Active:
    if len(active.kept) < _MAX_KEPT and len(found.terms) <= _MAX_TERMS_KEPT and active is not EMPTY:
        active.kept[key] = found
    return found


def extended(
    active: Active, context: Json, *, budget: Budget, override: bool = False, propagate: bool = True
) -> Active:
    """`active` after a local context: null, a URL, an object, or an array of these (API §4.1.2).

    `override`: protected terms may be redefined, as in a property's own context. `propagate` False: the result knows
    the way back, for nodes below that do not have the type.
    Raises Malformed (`jsonld.context`, `jsonld.context_size`, `jsonld.keyword`) and Unsupported
    (`jsonld.context_unknown`, `jsonld.construct`).
    """
    if isinstance(context, dict):
        propagate = context.get("@propagate", propagate)
    before = None if propagate else active.previous or active
    entries = context if isinstance(context, list) else [context]
    if len(entries) > MAX_CONTEXTS:
        raise Malformed("jsonld.context_size", f"A context lists more than {MAX_CONTEXTS} contexts.")
    result = active
    for entry in entries:
        if entry is None:
            result = _nothing(result, override=override)
        elif isinstance(entry, str):  # contexts by URL start their own protection (step 5.2.6)
            result = extended(result, loaded(entry), budget=budget)
        elif isinstance(entry, dict) and entry.keys() == {"@context"}:  # a context document where its context belongs
            result = extended(result, entry["@context"], budget=budget, override=override)
        elif isinstance(entry, dict):
            budget.spend(16 + len(result.terms) + 8 * len(entry))
            result = _object(result, entry, override=override)
        else:
            raise Malformed("jsonld.context", "A JSON-LD context is neither a URL nor an object.")
    if before is None or result is active:
        return result
    return Active(result.terms, result.vocab, result.language, result.has_direction, before)


def _nothing(active: Active, *, override: bool) -> Active:
    """The initial context again, unless that would take protected terms away (step 5.1)."""
    if not override and any(term.is_protected for term in active.terms.values()):
        raise Malformed("jsonld.context", "A JSON-LD context takes protected terms away.")
    return EMPTY


def _object(active: Active, context: Mapping[str, Json], *, override: bool) -> Active:
    if context.get("@version", 1.1) != 1.1:
        raise Malformed("jsonld.context", "A JSON-LD context has a @version that is not 1.1.")
    if "@import" in context or context.get("@base") is not None:
        raise Unsupported("jsonld.construct", "A JSON-LD context uses @import or @base, which are not read here.")
    if not isinstance(context.get("@protected", False), bool) or not isinstance(context.get("@propagate", True), bool):
        raise Malformed("jsonld.context", "A JSON-LD context is neither protected nor not.")
    vocab = _vocab(active, context)
    terms = dict(active.terms)
    local = {name: value for name, value in context.items() if name not in _ABOUT_CONTEXTS}
    definitions = Definitions(terms, local, vocab, context.get("@protected", False), override)
    for name in local:
        definitions.define(name)
    direction = context.get("@direction", "ltr" if active.has_direction else None)
    if direction not in (None, "ltr", "rtl"):
        raise Malformed("jsonld.context", "A JSON-LD context has a @direction that is none.")
    return Active(terms, vocab, _language(active, context), direction is not None, active.previous)


def _vocab(active: Active, context: Mapping[str, Json]) -> str | None:
    """The vocabulary (step 5.8): absolute once compact forms are expanded, since there is no base to join it to."""
    given = context.get("@vocab", active.vocab)
    if given is None or "@vocab" not in context:
        return active.vocab if given is not None else None
    if not isinstance(given, str):
        raise Malformed("jsonld.context", "A JSON-LD context has a @vocab that is not text.")
    colon = given.find(":", 1)
    term = active.terms.get(given)
    full = term.iri if term is not None else compact_iri(active.terms, given, colon) if colon > 0 else None
    if full is None or not absolute(full) or len(full) > MAX_TERM:
        raise Malformed("jsonld.vocab", "A JSON-LD context has a @vocab that is no absolute IRI.")
    return full


def _language(active: Active, context: Mapping[str, Json]) -> str | None:
    given = context.get("@language", active.language)
    if given is None:
        return None
    if not isinstance(given, str) or not language_tag(given):
        raise Malformed("jsonld.context", "A JSON-LD context has a @language that is no language tag.")
    return given.lower()
