"""Is this text a keyword, an absolute IRI, a language tag? The lexical questions of JSON-LD, answered strictly."""

from __future__ import annotations

import re
from typing import Final

KEYWORDS: Final = frozenset(
    {"@base", "@container", "@context", "@default", "@direction", "@embed", "@explicit", "@graph", "@id", "@import"}
    | {"@included", "@index", "@json", "@language", "@list", "@nest", "@none", "@omitDefault", "@prefix", "@preserve"}
    | {"@propagate", "@protected", "@requireAll", "@reverse", "@set", "@type", "@value", "@version", "@vocab"}
)
"""JSON-LD 1.1 §1.7, with those of framing."""

MAX_TERM: Final = 2048
"""How long the IRI may be that a context gives to a term: it is repeated wherever the term is used."""

RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XSD: Final = "http://www.w3.org/2001/XMLSchema#"

keyword_like = re.compile(r"@[A-Za-z]+").fullmatch
"""Text that has the form of a keyword, which JSON-LD would silently ignore where it is none (JSON-LD 1.1 §4.1.3)."""

absolute = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s\x00-\x20<>\"{}|^`\\\x7f-\x9f]*").fullmatch
"""An absolute IRI as far as N-Quads needs it: a scheme, and none of the characters that IRIREF excludes, nor any white
space, Unicode's included (RFC 3987 §2.2)."""

language_tag = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,15}").fullmatch
"""A language tag as N-Quads writes it (LANGTAG, within BCP 47 §2.1's lengths)."""

blank_label = re.compile(r"_:[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,126}[A-Za-z0-9_-])?").fullmatch
"""A blank node identifier, in the ASCII part of what N-Quads allows."""
