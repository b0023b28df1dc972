"""Ed25519Signature2020: an Ed25519 signature over canonical RDF, under a type of its own (Data Integrity EdDSA §A.1).

Kept for credentials that are out there; new ones are signed with eddsa-rdfc-2022.
"""

from __future__ import annotations

from typing import Final

from ssi.suites.whole import Whole, rdfc

NAME: Final = "Ed25519Signature2020"
TYPE: Final = NAME
CONTEXT: Final = "https://w3id.org/security/suites/ed25519-2020/v1"
ALGORITHMS: Final = ("EdDSA",)
SELECTIVE: Final = False

_SUITE: Final = Whole(NAME, TYPE, ALGORITHMS, rdfc)
sign, verify = _SUITE.sign, _SUITE.verify
