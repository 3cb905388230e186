"""Development tokens: signed with a key that says it is for development."""

import base64
import json
import stat
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import KeySet
from launcher import keys
from launcher.folders import State

NOW = 1_767_600_000


@pytest.fixture
def state(tmp_path: Path) -> State:
    state = State(tmp_path)
    state.prepare()
    return state


def public_keys(state: State) -> KeySet:
    return KeySet.import_key_set(json.loads((state.keys / "jwks.json").read_text()))


def test_a_token_says_who_and_what_and_ends_after_twelve_hours(state: State) -> None:
    token = jwt.decode(keys.sign(state, subject="clerk-1", roles=["clerk"], now=NOW), public_keys(state), algorithms=["ES256"])
    assert token.header["typ"] == "at+jwt"
    assert token.claims == {
        "iss": "receivables-dev", "aud": "receivables", "sub": "clerk-1", "roles": ["clerk"], "iat": NOW, "exp": NOW + 12 * 3600
    }  # fmt: skip


def test_a_token_of_another_stack_is_not_valid_here(state: State, tmp_path: Path) -> None:
    other = State(tmp_path / "other")
    other.prepare()
    keys.ensure_key(state)
    foreign = keys.sign(other, subject="clerk-1", roles=[], now=NOW)
    (ours,) = json.loads((state.keys / "jwks.json").read_text())["keys"]
    header = {**jwt.decode(foreign, public_keys(other), algorithms=["ES256"]).header, "kid": ours["kid"]}
    forged = foreign.split(".")
    forged[0] = _segment(header)
    with pytest.raises(BadSignatureError):
        jwt.decode(".".join(forged), public_keys(state), algorithms=["ES256"])


def test_the_public_half_is_marked_for_development_and_holds_no_secret(state: State) -> None:
    keys.ensure_key(state)
    (public,) = json.loads((state.keys / "jwks.json").read_text())["keys"]
    assert public["receivables_development"] is True
    assert public["use"] == "sig"
    assert public["kid"].startswith("dev-")
    assert "d" not in public
    assert stat.S_IMODE((state.keys / "dev.json").stat().st_mode) == 0o600


def test_the_key_stays_the_same_from_run_to_run(state: State) -> None:
    keys.ensure_key(state)
    before = (state.keys / "dev.json").read_text()
    keys.ensure_key(state)
    assert (state.keys / "dev.json").read_text() == before


def _segment(header: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
