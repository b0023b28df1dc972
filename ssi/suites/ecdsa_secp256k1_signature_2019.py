"""EcdsaSecp256k1Signature2019: a detached signature by a key of a blockchain account's kind.

Made and checked by DIDKit, for documents of VC data model 1.1 only (`ssi.suites.older`).
"""

from __future__ import annotations

from typing import Final

from ssi.suites.older import CREDENTIALS_V1, Older

NAME: Final = "EcdsaSecp256k1Signature2019"
TYPE: Final = NAME
CONTEXT: Final = CREDENTIALS_V1

_SUITE: Final = Older(NAME)
ALGORITHMS: Final = _SUITE.algorithms
SELECTIVE: Final = False
sign, verify = _SUITE.sign, _SUITE.verify
