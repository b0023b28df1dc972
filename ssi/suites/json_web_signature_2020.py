"""JsonWebSignature2020: a detached JWS over canonical RDF, for any kind of key (JSON Web Signature 2020).

Made and checked by DIDKit, for documents of VC data model 1.1 only (`ssi.suites.older`).
"""

from __future__ import annotations

from typing import Final

from ssi.suites.older import Older

NAME: Final = "JsonWebSignature2020"
TYPE: Final = NAME
CONTEXT: Final = "https://w3id.org/security/suites/jws-2020/v1"

_SUITE: Final = Older(NAME)
ALGORITHMS: Final = _SUITE.algorithms
SELECTIVE: Final = False
sign, verify = _SUITE.sign, _SUITE.verify
