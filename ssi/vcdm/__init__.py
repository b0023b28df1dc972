"""The W3C VC Data Model: is this document a verifiable credential or presentation, and what does it say of itself?

One file per part of the model. Every reader raises only SsiError; a broken MUST is Malformed (`vcdm.<member>`).
"""

from __future__ import annotations

from ssi.vcdm.contexts import V1, V2, refuse_unknown_terms
from ssi.vcdm.credentials import Model, SchemaRef, credential, proofs, validity
from ssi.vcdm.envelopes import Envelope, envelop, enveloped, is_envelope, read_data_url
from ssi.vcdm.presentations import PresentationModel, presentation, refuse_borrowed

__all__ = [
    "V1",
    "V2",
    "Envelope",
    "Model",
    "PresentationModel",
    "SchemaRef",
    "credential",
    "envelop",
    "enveloped",
    "is_envelope",
    "presentation",
    "proofs",
    "read_data_url",
    "refuse_borrowed",
    "refuse_unknown_terms",
    "validity",
]
