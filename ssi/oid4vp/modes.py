"""Response modes: by which way does an answer go, and is it encrypted (OpenID4VP 1.0 §5.6, §8.2, §8.3, A.2)?"""

from __future__ import annotations

from typing import Final

DIRECT_POST: Final = "direct_post"
DIRECT_POST_JWT: Final = "direct_post.jwt"
FRAGMENT: Final = "fragment"
FRAGMENT_JWT: Final = "fragment.jwt"
DC_API: Final = "dc_api"
DC_API_JWT: Final = "dc_api.jwt"

POST_MODES: Final = (DIRECT_POST, DIRECT_POST_JWT)
"""The wallet posts to `response_uri` (§8.2)."""

FRAGMENT_MODES: Final = (FRAGMENT, FRAGMENT_JWT)
"""The person's browser carries the answer to `redirect_uri` (§5.6); encrypted as §8.3 says, with `response` alone."""

DC_MODES: Final = (DC_API, DC_API_JWT)
"""The browser's Digital Credentials API carries request and answer (Appendix A)."""

REDIRECT_MODES: Final = (*POST_MODES, *FRAGMENT_MODES)
"""What a request by link may ask for."""

RESPONSE_MODES: Final = (*REDIRECT_MODES, *DC_MODES)
ENCRYPTED_MODES: Final = frozenset({DIRECT_POST_JWT, FRAGMENT_JWT, DC_API_JWT})
