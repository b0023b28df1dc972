"""DCQL: what is asked for, what can answer it, and does an answer satisfy it (OpenID4VP 1.0 §6 and §7)?"""

from __future__ import annotations

from ssi.dcql.answering import misplaced, satisfied
from ssi.dcql.authorities import Certified
from ssi.dcql.matching import Candidate, Holding, Match, Missing, match
from ssi.dcql.query import Authorities, ClaimsQuery, CredentialQuery, CredentialSet, Query, parse
from ssi.formats.paths import Selected, select, selected

__all__ = [
    "Authorities",
    "Candidate",
    "Certified",
    "ClaimsQuery",
    "CredentialQuery",
    "CredentialSet",
    "Holding",
    "Match",
    "Missing",
    "Query",
    "Selected",
    "match",
    "misplaced",
    "parse",
    "satisfied",
    "select",
    "selected",
]
