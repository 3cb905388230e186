"""Who asks is proved by a token that RFC 8725 would accept, and by nothing else (security.md, row 2)."""

import base64
import hashlib
import hmac
import json
import os
import time
import warnings
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from chassis.http.auth import Keys, KeysRefused, Principal, TokenRefused
from chassis.settings import ServiceSettings, load_settings
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
HEADER = {"alg": "ES256", "typ": "at+jwt", "kid": "ec-1"}
CLAIMS = {
    "iss": "receivables-dev",
    "aud": "receivables",
    "sub": "clerk-1",
    "roles": ["clerk"],
    "exp": SECONDS + 600,
    "nbf": SECONDS,
    "iat": SECONDS,
}

EC, RSA = ECKey.generate_key("P-256"), RSAKey.generate_key(2048)
STRANGER = RSAKey.generate_key(2048)
with warnings.catch_warnings(action="ignore"):
    WEAK = RSAKey.generate_key(1024)
pytestmark = pytest.mark.filterwarnings("ignore:Key size should be")


def entry(key: ECKey | RSAKey, kid: str, **more: Any) -> dict[str, Any]:
    return {**key.as_dict(private=False), "kid": kid, "use": "sig", **more}


def signed(header: Mapping[str, Any] = HEADER, claims: Mapping[str, Any] = CLAIMS, key: ECKey | RSAKey = EC) -> str:
    """Sign by hand, so that headers no library would write can be written."""
    if header.get("alg") in ("RS256", "ES256") and not {"jwk", "jku", "x5u", "x5c", "crit"} & set(header):
        return jwt.encode(dict(header), dict(claims), key, algorithms=[str(header["alg"])])
    return by_hand(json.dumps(header), json.dumps(claims), key)


def by_hand(header: str, claims: str, key: ECKey | RSAKey = EC) -> str:
    what = f"{encoded(header.encode())}.{encoded(claims.encode())}"
    algorithm = JWSRegistry.algorithms["ES256" if isinstance(key, ECKey) else "RS256"]
    return f"{what}.{encoded(algorithm.sign(what.encode(), key))}"


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def confused() -> str:
    """HS256, keyed with the text of our public key."""
    what = f"{encoded(json.dumps({**HEADER, 'alg': 'HS256', 'kid': 'rsa-1'}).encode())}.{encoded(json.dumps(CLAIMS).encode())}"
    return f"{what}.{encoded(hmac.new(RSA.as_pem(private=False), what.encode(), hashlib.sha256).digest())}"


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in CLAIMS.items() if key != name}


RS_HEADER = {"alg": "RS256", "typ": "at+jwt", "kid": "rsa-1"}
BAD: Mapping[str, Callable[[], str]] = {
    "alg none": lambda: by_hand(json.dumps({**HEADER, "alg": "none"}), json.dumps(CLAIMS)).rpartition(".")[0] + ".",
    "alg None": lambda: by_hand(json.dumps({**HEADER, "alg": "None"}), json.dumps(CLAIMS)).rpartition(".")[0] + ".",
    "HS256 keyed with the public key": confused,
    "RS256 under a key of EC": lambda: signed({**RS_HEADER, "kid": "ec-1"}, key=RSA),
    "embedded jwk": lambda: by_hand(json.dumps({**RS_HEADER, "jwk": STRANGER.as_dict(private=False)}), json.dumps(CLAIMS), STRANGER),
    "embedded jku": lambda: by_hand(json.dumps({**HEADER, "jku": "https://evil.example/keys"}), json.dumps(CLAIMS)),
    "embedded x5u": lambda: by_hand(json.dumps({**HEADER, "x5u": "https://evil.example/cert"}), json.dumps(CLAIMS)),
    "crit nobody understands": lambda: by_hand(json.dumps({**HEADER, "crit": ["exp2"], "exp2": 1}), json.dumps(CLAIMS)),
    "kid a path": lambda: signed({**HEADER, "kid": "../../dev/null"}),
    "kid SQL": lambda: signed({**HEADER, "kid": "ec-1' OR '1'='1"}),
    "kid missing": lambda: signed({name: value for name, value in HEADER.items() if name != "kid"}),
    "kid no text": lambda: by_hand(json.dumps({**HEADER, "kid": ["ec-1"]}), json.dumps(CLAIMS)),
    "signed by a stranger": lambda: signed(RS_HEADER, key=STRANGER),
    "weak RSA key": lambda: signed({**RS_HEADER, "kid": "weak"}, key=WEAK),
    "no exp": lambda: signed(claims=without("exp")),
    "exp a text": lambda: signed(claims={**CLAIMS, "exp": str(SECONDS + 600)}),
    "exp NaN": lambda: by_hand(json.dumps(HEADER), json.dumps({**CLAIMS, "exp": float("nan")})),
    "no aud": lambda: signed(claims=without("aud")),
    "aud another": lambda: signed(claims={**CLAIMS, "aud": "receivables-payment"}),
    "aud a list of others": lambda: signed(claims={**CLAIMS, "aud": ["a", "b"]}),
    "iss another": lambda: signed(claims={**CLAIMS, "iss": "https://evil.example"}),
    "no iss": lambda: signed(claims=without("iss")),
    "no sub": lambda: signed(claims=without("sub")),
    "empty sub": lambda: signed(claims={**CLAIMS, "sub": ""}),
    "sub with a line break": lambda: signed(claims={**CLAIMS, "sub": "clerk\n1"}),
    "future nbf": lambda: signed(claims={**CLAIMS, "nbf": SECONDS + 31}),
    "typ JWT": lambda: signed({**HEADER, "typ": "JWT"}),
    "refresh token as access token": lambda: signed({**HEADER, "typ": "rt+jwt"}),
    "no typ": lambda: by_hand(json.dumps({"alg": "ES256", "kid": "ec-1"}), json.dumps(CLAIMS)),
    "roles a text": lambda: signed(claims={**CLAIMS, "roles": "operator"}),
    "one dot": lambda: signed().rpartition(".")[0],
    "three dots": lambda: signed() + ".",
    "four dots": lambda: signed() + "..x",
    "a megabyte": lambda: signed(claims={**CLAIMS, "more": "x" * 1_000_000}),
    "claim twice": lambda: by_hand(json.dumps(HEADER), json.dumps(CLAIMS)[:-1] + ', "sub": "operator-1"}'),
    "header twice": lambda: by_hand(json.dumps(HEADER)[:-1] + ', "kid": "rsa-1"}', json.dumps(CLAIMS)),
    "claims a list": lambda: by_hand(json.dumps(HEADER), "[]"),
    "header a number": lambda: by_hand("1", json.dumps(CLAIMS)),
    "header nested deep": lambda: by_hand("[" * 4000, json.dumps(CLAIMS)),
    "signature cut": lambda: signed()[:-4],
    "claims changed": lambda: changed(),
    "not ASCII": lambda: signed() + "é",
    "empty": lambda: "",
    "only dots": lambda: "..",
}


def changed() -> str:
    header, _, signature = signed().split(".")
    return f"{header}.{encoded(json.dumps({**CLAIMS, 'roles': ['operator']}).encode())}.{signature}"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps({"keys": [entry(EC, "ec-1"), entry(RSA, "rsa-1")]}))
    return file


def settings_with(key_file: Path | None, **environ: str) -> ServiceSettings:
    given = {"DATABASE_URL": "postgresql://x/y", "ENTITIES_FILE": "e.toml", **environ}
    return load_settings("payment", given | ({"JWT_KEYS_FILE": str(key_file)} if key_file else {}))


@pytest.fixture
def keys(key_file: Path) -> Keys:
    return Keys(settings_with(key_file))


@pytest.mark.parametrize("name", BAD)
def test_a_bad_token_proves_nothing(keys: Keys, name: str) -> None:
    with pytest.raises(TokenRefused, match="TOKEN_INVALID"):
        keys.principal(BAD[name](), NOW)


def test_a_good_token_names_the_principal_and_its_roles(keys: Keys) -> None:
    clerk = Principal("clerk-1", frozenset({"clerk"}))
    assert keys.principal(signed(), NOW) == clerk
    assert keys.principal(signed(RS_HEADER, key=RSA), NOW) == clerk
    assert keys.principal(by_hand(json.dumps(HEADER), json.dumps(CLAIMS)), NOW) == clerk, (
        "what BAD signs by hand is refused for its content"
    )
    assert keys.principal(signed({**HEADER, "typ": "application/AT+JWT"}), NOW) == clerk
    assert keys.principal(signed(claims={**CLAIMS, "aud": ["elsewhere", "receivables"]}), NOW) == clerk


def test_clocks_may_differ_by_half_a_minute_and_no_more(keys: Keys) -> None:
    assert keys.principal(signed(claims={**CLAIMS, "exp": SECONDS - 29, "nbf": SECONDS + 30}), NOW).sub == "clerk-1"
    with pytest.raises(TokenRefused, match="TOKEN_EXPIRED"):
        keys.principal(signed(claims={**CLAIMS, "exp": SECONDS - 30}), NOW)


def test_keys_rotate_without_a_restart(keys: Keys, key_file: Path) -> None:
    fresh = ECKey.generate_key("P-256")
    key_file.write_text(json.dumps({"keys": [entry(fresh, "ec-2")]}))
    os.utime(key_file, ns=(time.time_ns(), time.time_ns() + 1))

    assert keys.principal(signed({**HEADER, "kid": "ec-2"}, key=fresh), NOW).sub == "clerk-1"
    with pytest.raises(TokenRefused):
        keys.principal(signed(), NOW)


def test_a_broken_new_key_file_leaves_the_old_keys_in_use(keys: Keys, key_file: Path) -> None:
    key_file.write_text("{")
    assert keys.principal(signed(), NOW).sub == "clerk-1"
    key_file.unlink()
    assert keys.principal(signed(), NOW).sub == "clerk-1"


def test_without_a_key_file_nobody_is_known() -> None:
    with pytest.raises(TokenRefused):
        Keys(settings_with(None)).principal(signed(), NOW)


def test_production_refuses_development_keys_in_one_sentence(key_file: Path) -> None:
    key_file.write_text(json.dumps({"keys": [entry(EC, "dev-1", receivables_development=True)]}))

    with pytest.raises(KeysRefused, match="development keys, which production refuses") as refused:
        Keys(settings_with(key_file, ENV="prod", JWT_ISSUER="https://login.example"))
    assert "\n" not in str(refused.value)
    assert Keys(settings_with(key_file)).principal(signed({**HEADER, "kid": "dev-1"}), NOW).sub == "clerk-1"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"keys": 1}',
        '{"keys": [1]}',
        '{"keys": [{"kty": "EC"}]}',
        json.dumps({"keys": [entry(WEAK, "weak")]}),
        json.dumps({"keys": [entry(ECKey.generate_key("P-384"), "big")]}),
    ],
)
def test_a_useless_key_file_stops_the_start(key_file: Path, content: str) -> None:
    key_file.write_text(content)
    with pytest.raises(KeysRefused, match="is no JWKS"):
        Keys(settings_with(key_file))


def test_a_missing_key_file_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(KeysRefused, match="cannot be read"):
        Keys(settings_with(tmp_path / "nowhere.json"))
