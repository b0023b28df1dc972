"""eddsa-jcs-2022: an Ed25519 signature over a document's canonical JSON (Data Integrity EdDSA 1.0 §3.3)."""

from __future__ import annotations

from typing import Final

from ssi.suites.values import DATA_INTEGRITY_CONTEXT, DATA_INTEGRITY_PROOF
from ssi.suites.whole import Whole, jcs

NAME: Final = "eddsa-jcs-2022"
TYPE: Final = DATA_INTEGRITY_PROOF
CONTEXT: Final = DATA_INTEGRITY_CONTEXT
ALGORITHMS: Final = ("EdDSA",)
SELECTIVE: Final = False

_SUITE: Final = Whole(NAME, TYPE, ALGORITHMS, jcs)
sign, verify = _SUITE.sign, _SUITE.verify
