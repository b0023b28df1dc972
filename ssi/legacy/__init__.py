"""W3C credentials of data model 1.1, in the proof formats that only DIDKit knows.

DIDKit makes and checks the signatures, in a process of its own (`engine`). Everything else that must hold is checked
here, because DIDKit leaves it out: dates, safe JSON-LD, every proof and every credential one by one, holder binding,
challenge and audience (docs/adr/0010-didkit.md). A credential's status is never fetched: it is the caller's to ask.
"""

from __future__ import annotations

from ssi.legacy.credentials import issue, verify
from ssi.legacy.engine import available
from ssi.legacy.linked import PROOF_TYPES
from ssi.legacy.presentations import Presented, present, verify_presentation
from ssi.legacy.tokens import JWT

__all__ = ["JWT", "PROOF_TYPES", "Presented", "available", "issue", "present", "verify", "verify_presentation"]
