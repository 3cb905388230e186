"""The development key and tokens signed with it. The public half says what it is for, so that a production service can refuse it."""

import json
import secrets
from collections.abc import Sequence

from joserfc import jwt
from joserfc.jwk import ECKey

from launcher.folders import State, write_privately

ISSUER = "receivables-dev"
AUDIENCE = "receivables"
ALGORITHM = "ES256"
_TOKEN_SECONDS = 12 * 3600
_DEVELOPMENT = "receivables_development"


def ensure_key(state: State) -> None:
    """Make the key pair unless it is there: `dev.json` (a JWKS with the private part) and `jwks.json` (what the services read)."""
    private, public = state.keys / "dev.json", state.keys / "jwks.json"
    if private.exists() and public.exists():
        return
    key = ECKey.generate_key("P-256")
    about = {"use": "sig", "alg": ALGORITHM, "kid": f"dev-{secrets.token_hex(4)}", _DEVELOPMENT: True}
    write_privately(private, json.dumps({"keys": [{**key.as_dict(private=True), **about}]}))
    write_privately(public, json.dumps({"keys": [{**key.as_dict(private=False), **about}]}))


def sign(state: State, *, subject: str, roles: Sequence[str], now: int) -> str:
    """
    Return a bearer token for a person or a machine, good for twelve hours.

    :param now: seconds since 1970.
    """
    ensure_key(state)
    (stored,) = json.loads((state.keys / "dev.json").read_text())["keys"]
    key = ECKey.import_key({name: value for name, value in stored.items() if name != _DEVELOPMENT})
    header = {"alg": ALGORITHM, "typ": "at+jwt", "kid": stored["kid"]}
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "roles": list(roles), "iat": now, "exp": now + _TOKEN_SECONDS}
    return jwt.encode(header, claims, key, algorithms=[ALGORITHM])
