"""
Reading what others publish: into a typed fact, or into every reason why not.

A reason is a stable code and the field it is about, counted from the root of the data: `instalments[1].due_on`, indexes from 0.
No reason and no message repeats a value that was sent: reasons travel on in `DocumentRejected` and its like, values may be personal.
"""

import functools
import types
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from itertools import islice
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin

import msgspec

from events.fact import Event
from events.invoice import Reason

IDENTIFIER_LENGTH_MAX: Final = 64
REASONS_MAX: Final = 100  # A hostile array of wrong elements must not become an answer of the same size.
RESERVED_PREFIX: Final = "receipt:"  # Keys of receipts without a payer are `entity|receipt:<id>`.
WHOLE: Final = "data"  # The field of a reason that is about the data as a whole.

EventT = TypeVar("EventT", bound=Event)


class Code(StrEnum):
    """Why the shape of something was refused. Codes are permanent; `sentence` says what each means."""

    sentence: str

    def __new__(cls, code: str, sentence: str) -> "Code":
        member = str.__new__(cls, code)
        member._value_ = code
        member.sentence = sentence
        return member

    NOT_JSON = "NOT_JSON", "The data is not well-formed JSON in UTF-8."
    NOT_AN_OBJECT = "NOT_AN_OBJECT", "The data, or this part of it, is not a JSON object."
    TOO_DEEP = "TOO_DEEP", "The JSON is nested too deeply to be read."
    MISSING = "MISSING", "A required field is not there."
    WRONG_TYPE = "WRONG_TYPE", "The field has another JSON type than the schema says; amounts are strings."
    BAD_DATE = "BAD_DATE", "The field is not a day of the calendar written YYYY-MM-DD."
    BAD_TEXT = "BAD_TEXT", "The text contains the character U+0000, which no database stores."
    BAD_IDENTIFIER = (
        "BAD_IDENTIFIER",
        (
            f"An identifier is 1 to {IDENTIFIER_LENGTH_MAX} printable characters without `|`, without a space at either end, "
            f"and does not begin with `{RESERVED_PREFIX}`."
        ),
    )


class Refused(Exception):
    """The data is not what its type says; `reasons` are all there are, at most `REASONS_MAX`, in the order of the fields."""

    def __init__(self, reasons: list[Reason]) -> None:
        super().__init__("; ".join(explain(reason) for reason in reasons[:10]))
        self.reasons = reasons


def explain(reason: Reason) -> str:
    """Return a reason as a sentence for people; codes of other vocabularies stand for themselves."""
    sentence = Code[reason.code].sentence if reason.code in Code.__members__ else reason.code
    return f"{reason.field}: {sentence}"


def check_identifier(field: str, value: str) -> Reason | None:
    """
    Return why a value cannot be an identifier (entity, document number, customer, bank reference), or None when it can.

    Identifiers become parts of keys and ids that are joined by `|`.
    """
    usable = (
        0 < len(value) <= IDENTIFIER_LENGTH_MAX
        and value.isprintable()
        and "|" not in value
        and value == value.strip()
        and not value.startswith(RESERVED_PREFIX)
    )
    return None if usable else _reason(Code.BAD_IDENTIFIER, field)


def read(cls: type[EventT], data: bytes) -> EventT:
    """
    Read the data of an ingress record as a fact; unknown fields are ignored.

    :raises Refused: with every reason at once.
    """
    try:
        event: EventT = _decoder(cls).decode(data)
    except RecursionError:
        raise Refused([_reason(Code.TOO_DEEP, WHOLE)]) from None
    except ValueError as error:  # msgspec.DecodeError and UnicodeDecodeError, both.
        raise Refused(_reasons(cls, data) or [_reason_of(error)]) from None
    if b"\\u0000" in data and (reasons := _reasons(cls, data)):
        raise Refused(reasons)
    return event


@functools.cache
def _decoder(type_: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(type_)


def _reasons(cls: type[EventT], data: bytes) -> list[Reason]:
    try:
        return list(islice(_refusals(cls, msgspec.Raw(data), ""), REASONS_MAX))
    except RecursionError:
        return [_reason(Code.TOO_DEEP, WHOLE)]


def _refusals(type_: Any, raw: msgspec.Raw, at: str) -> Iterator[Reason]:
    """Decode one value as its type, part by part, and yield what is wrong with each part."""
    type_ = _without_null(type_, raw)
    if get_origin(type_) is list:
        elements = _opened(list[msgspec.Raw], raw)
        if isinstance(elements, Code):
            yield _reason(elements, at)
        else:
            for index, element in enumerate(elements):
                yield from _refusals(get_args(type_)[0], element, f"{at}[{index}]")
    elif isinstance(type_, type) and issubclass(type_, msgspec.Struct):
        yield from _refusals_of_object(type_, raw, at)
    else:
        code = _refusal_of_leaf(type_, raw)
        if code is not None:
            yield _reason(code, at)


def _refusals_of_object(cls: type[msgspec.Struct], raw: msgspec.Raw, at: str) -> Iterator[Reason]:
    found = _opened(dict[str, msgspec.Raw], raw)
    if isinstance(found, Code):
        yield _reason(Code.NOT_AN_OBJECT if found is Code.WRONG_TYPE else found, at or WHOLE)
        return
    for field in msgspec.structs.fields(cls):
        name = f"{at}.{field.encode_name}" if at else field.encode_name
        if field.encode_name in found:
            yield from _refusals(field.type, found[field.encode_name], name)
        elif field.required:
            yield _reason(Code.MISSING, name)


def _without_null(type_: Any, raw: msgspec.Raw) -> Any:
    """Strip annotations, and the `| None` of a type unless the value is null."""
    if get_origin(type_) is Annotated:
        return _without_null(get_args(type_)[0], raw)
    if get_origin(type_) in (Union, types.UnionType):
        wanted = [one for one in get_args(type_) if (one is types.NoneType) == (bytes(raw).strip() == b"null")]
        if len(wanted) == 1:
            return _without_null(wanted[0], raw)
    return type_


def _opened(container: Any, raw: msgspec.Raw) -> Any:
    """Return the parts of a list or object undecoded, or the code that says why it has none."""
    try:
        return _decoder(container).decode(raw)
    except msgspec.ValidationError:
        return Code.WRONG_TYPE
    except ValueError:
        return Code.NOT_JSON


def _refusal_of_leaf(type_: Any, raw: msgspec.Raw) -> Code | None:
    try:
        value = _decoder(type_).decode(raw)
    except msgspec.ValidationError:
        return Code.BAD_DATE if type_ is date and bytes(raw).lstrip().startswith(b'"') else Code.WRONG_TYPE
    except ValueError:
        return Code.NOT_JSON
    return Code.BAD_TEXT if isinstance(value, str) and "\x00" in value else None


def _reason(code: Code, field: str) -> Reason:
    return Reason(code=code.value, field=field)  # A plain string: not every writer of JSON or SQL knows what an enum is.


def _reason_of(error: ValueError) -> Reason:
    """
    Return the one reason msgspec gives itself.

    Reached where a field stands twice in an object: reading the whole met the wrong one, reading by field the right one.
    """
    if not isinstance(error, msgspec.ValidationError):
        return _reason(Code.NOT_JSON, WHOLE)
    path = str(error).rpartition("`$.")[2].rstrip("`")
    return _reason(Code.WRONG_TYPE, path or WHOLE)
