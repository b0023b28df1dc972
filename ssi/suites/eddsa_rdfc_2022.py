"""eddsa-rdfc-2022: an Ed25519 signature over a document's canonical RDF (Data Integrity EdDSA 1.0 §3.2)."""

from __future__ import annotations

from typing import Final

from ssi.suites.values import DATA_INTEGRITY_CONTEXT, DATA_INTEGRITY_PROOF
from ssi.suites.whole import Whole, rdfc

NAME: Final = "eddsa-rdfc-2022"
TYPE: Final = DATA_INTEGRITY_PROOF
CONTEXT: Final = DATA_INTEGRITY_CONTEXT
ALGORITHMS: Final = ("EdDSA",)
SELECTIVE: Final = False

_SUITE: Final = Whole(NAME, TYPE, ALGORITHMS, rdfc)
sign, verify = _SUITE.sign, _SUITE.verify
