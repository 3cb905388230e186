"""A throw-away signing key and the tokens made with it."""

import json
import tempfile
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import ECKey

ISSUER, AUDIENCE = "receivables-dev", "receivables"


class TestKeys:
    """A JWKS file with one public key, and tokens signed by its private part."""

    __test__ = False

    def __init__(self) -> None:
        self._key = ECKey.generate_key("P-256", {"kid": "test-1", "use": "sig", "alg": "ES256"})
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8", delete=False) as out:
            json.dump({"keys": [self._key.as_dict(private=False)]}, out)
        self.file = Path(out.name)

    def token(self, sub: str, roles: Collection[str], now: datetime) -> str:
        """An access token of twelve hours."""
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": sub,
            "roles": list(roles),
            "iat": int(now.timestamp()),
            "exp": int((now + timedelta(hours=12)).timestamp()),
        }
        return jwt.encode({"alg": "ES256", "kid": "test-1", "typ": "at+jwt"}, claims, self._key)

    def forget(self) -> None:
        """Remove the key file."""
        self.file.unlink(missing_ok=True)
