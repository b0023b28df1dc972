"""What does a node mean that does not take a transaction? The same is said in each implementation's own words."""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

from ssi.ledger.rpc import RpcError


class Meaning(Enum):
    """HELD: it has this transaction, or its place is taken. LOW_BID: it wants a higher price. FUNDS: no money."""

    HELD = "held"
    LOW_BID = "low bid"
    FUNDS = "funds"


_WORDS: Final = (
    (Meaning.HELD, r"already ?known|known transaction|already imported|already exists"),
    (Meaning.HELD, r"nonce (is )?too low|nonce already used|old ?nonce"),
    (Meaning.LOW_BID, r"underpriced|less than (the )?block base fee|fee ?too ?low|max fee per gas"),
    (Meaning.LOW_BID, r"gas price below|replacement ?not ?allowed"),
    (Meaning.FUNDS, r"insufficient ?(funds|balance)|exceeds (account )?balance"),
)


def meaning(error: RpcError) -> Meaning | None:
    """What the words mean; None when they are not known.

    >>> meaning(RpcError(-32000, "replacement transaction underpriced"))
    <Meaning.LOW_BID: 'low bid'>
    """
    return next((found for found, words in _WORDS if re.search(words, error.message, re.IGNORECASE)), None)
