"""
Who asks: bearer tokens (JWT access tokens, RFC 9068) checked as RFC 8725 asks, against a pinned key file.

RS256 and ES256 only; the key is chosen by `kid` from the JWKS file and never taken from the token; `iss`, `aud`, `exp`, `sub` and
`typ: at+jwt` are required, `nbf` and `iat` checked where given. The file is read again when it changes, so keys rotate without a restart.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NoReturn

import structlog
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import ECKey, RSAKey

from chassis.settings import ServiceSettings, SettingsInvalid

ALGORITHMS: Final = {"RSA": "RS256", "EC": "ES256"}
LEEWAY_S = 30
TOKEN_LENGTH_MAX = 8192
RSA_BITS_MIN = 2048
SUBJECT_LENGTH_MAX = 255
DEVELOPMENT_MARK = "receivables_development"
_KEY_FIELDS = frozenset(("kty", "n", "e", "crv", "x", "y", "kid", "use", "alg"))  # A private part in the file is never loaded.

_log = structlog.get_logger()


class TokenRefused(Exception):
    """A token does not prove who asks; the message is a code: TOKEN_INVALID or TOKEN_EXPIRED."""


class KeysRefused(SettingsInvalid):
    """The key file that JWT_KEYS_FILE names cannot be used; the message says why in one sentence."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: the subject of the token, by which makers and approvers are told apart, and its roles."""

    sub: str
    roles: frozenset[str]


class Keys:
    """
    The public keys of the issuers we trust, from a JWKS file.

    Without a file no token is accepted.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        """:raises KeysRefused: no usable file where one is named, or development keys in production."""
        self._file = settings.jwt_keys_file
        self._issuer, self._audience = settings.jwt_issuer, settings.jwt_audience
        self._production = settings.is_production
        self._changed_at = 0
        self._keys: Mapping[str, RSAKey | ECKey] = {}
        if self._file is not None:
            self._keys, self._changed_at = _load(self._file, production=self._production), _changed_at(self._file)

    def principal(self, token: str, now: datetime) -> Principal:
        """
        Return who holds the token.

        :raises TokenRefused: for whatever reason; which one is logged, not told.
        """
        try:
            header = _header(token)
            key = self._key(header)
            claims = jwt.decode(token, key, algorithms=[ALGORITHMS[key.key_type]], decoder_cls=_StrictDecoder).claims
            jwt.JWTClaimsRegistry(
                now=int(now.timestamp()),
                leeway=LEEWAY_S,
                iss={"essential": True, "value": self._issuer},
                aud={"essential": True, "value": self._audience},
                exp={"essential": True},
                sub={"essential": True},
            ).validate(claims)
            return _principal(claims)
        except ExpiredTokenError as error:
            raise TokenRefused("TOKEN_EXPIRED") from error
        except (JoseError, ValueError, RecursionError) as error:
            _log.info("http.token_refused", reason=f"{type(error).__name__}: {error}")
            raise TokenRefused("TOKEN_INVALID") from error

    def _key(self, header: Mapping[str, Any]) -> RSAKey | ECKey:
        if str(header.get("typ")).lower().removeprefix("application/") != "at+jwt":
            raise ValueError("typ is not at+jwt")
        carried = [name for name in ("jwk", "jku", "x5u", "x5c", "crit") if name in header]
        if carried:
            raise ValueError(f"the header carries {', '.join(carried)}")
        self._follow_file()
        key = self._keys.get(header["kid"]) if isinstance(header.get("kid"), str) else None
        if key is None:
            raise ValueError("kid names no key of ours")
        if header.get("alg") != ALGORITHMS[key.key_type]:
            raise ValueError("alg does not fit the key")
        return key

    def _follow_file(self) -> None:
        """Read the file again when it changed; keys in use stay in use while the new file is no good."""
        if self._file is None:
            return
        try:
            changed_at = _changed_at(self._file)
            if changed_at != self._changed_at:
                self._changed_at = changed_at
                self._keys = _load(self._file, production=self._production)
        except (KeysRefused, OSError) as error:
            _log.error("http.keys_not_renewed", error=str(error))


def _changed_at(file: Path) -> int:
    return file.stat().st_mtime_ns


def _load(file: Path, *, production: bool) -> dict[str, RSAKey | ECKey]:
    try:
        entries = json.loads(file.read_bytes())["keys"]
        if production and any(entry.get(DEVELOPMENT_MARK) for entry in entries):
            raise KeysRefused(f"{file} holds development keys, which production refuses: name the key file of your identity provider")
        return {entry["kid"]: _import(entry) for entry in entries if entry.get("kty") in ALGORITHMS and entry.get("use", "sig") == "sig"}
    except OSError as error:
        raise KeysRefused(
            f"{file} cannot be read ({error.strerror}): JWT_KEYS_FILE names the public keys of your identity provider"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError, JoseError) as error:
        raise KeysRefused(f"{file} is no JWKS with RSA (2048 bits or more) or P-256 keys, each with a kid: {error}") from error


def _import(entry: Mapping[str, Any]) -> RSAKey | ECKey:
    public = {name: value for name, value in entry.items() if name in _KEY_FIELDS}
    if entry["kty"] == "EC":
        if entry.get("crv") != "P-256":
            raise ValueError(f"{entry['kid']} is not on the curve P-256")
        return ECKey.import_key(public)
    key = RSAKey.import_key(public)
    if key.raw_value.key_size < RSA_BITS_MIN:
        raise ValueError(f"{entry['kid']} has fewer than {RSA_BITS_MIN} bits")
    return key


def _header(token: str) -> Mapping[str, Any]:
    if len(token) > TOKEN_LENGTH_MAX or not token.isascii() or token.count(".") != 2:
        raise ValueError("not a compact token")
    first = token.partition(".")[0]
    try:
        header = json.loads(base64.b64decode(first + "=" * (-len(first) % 4), altchars=b"-_", validate=True), cls=_StrictDecoder)
    except binascii.Error as error:
        raise ValueError("the header is not base64url") from error
    if not isinstance(header, dict):
        raise ValueError("the header is not an object")
    return header


def _principal(claims: Mapping[str, Any]) -> Principal:
    sub, roles = claims["sub"], claims.get("roles", [])
    if not sub or len(sub) > SUBJECT_LENGTH_MAX or not sub.isprintable():
        raise ValueError("sub is not usable")
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        raise ValueError("roles is not a list of texts")
    return Principal(sub, frozenset(roles))


class _StrictDecoder(json.JSONDecoder):
    """JSON without duplicate names and without NaN: two readers must not see two tokens."""

    def __init__(self) -> None:
        super().__init__(object_pairs_hook=_once, parse_constant=_refuse_constant)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
