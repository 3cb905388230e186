"""Reads that send only what the caller does not have yet (RFC 9110, section 13.1.2)."""

import hashlib
from typing import Annotated, Final, TypeAlias

from fastapi import Header, Response
from pydantic import BaseModel

IfNoneMatch: TypeAlias = Annotated[
    str | None, Header(description="ETags that were read before: 304 while one of them is that of the answer.")
]

_TAG_LENGTH: Final = 32  # 128 bits: no two answers about one document ever share it.


def answer(shown: BaseModel, if_none_match: str | None) -> Response:
    """
    Answer with a strong ETag; with 304 and no body where the caller has the same answer already.

    The tag is a fingerprint of the whole body, the days it was asked for included: the same figures of another day are another answer.
    """
    body = shown.model_dump_json().encode()
    tag = f'"{hashlib.sha256(body).hexdigest()[:_TAG_LENGTH]}"'
    known = [one.strip().removeprefix("W/") for one in (if_none_match or "").split(",")]
    if tag in known or known == ["*"]:
        return Response(status_code=304, headers={"ETag": tag})
    return Response(body, headers={"ETag": tag}, media_type="application/json")
