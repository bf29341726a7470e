"""From a call's body to an event, and from what a handler returned to a reply."""

import json
import os
import sys

from .failures import Fault

JSON = "application/json"
JSON_LINES = "application/x-ndjson"
BYTES = "application/octet-stream"
TEXT = "text/plain; charset=utf-8"

# What `curl --data` says of whatever it sends, and what a body is whose sender says nothing (SDKs of Lambda say it, too).
_SAID_OF_ANYTHING = ("application/x-www-form-urlencoded", BYTES)


def event(body, content_type):
    """What the handler gets: the JSON value of a JSON body, else the bytes.

    A payload of Lambda is always JSON, whatever is said of it. So a body of which nothing particular is said is taken for JSON
    if it is JSON, and given as bytes if not. No body at all is `{}`.
    """
    if not body:
        return {}
    media_type = (content_type or BYTES).partition(";")[0].strip().lower()
    if media_type == JSON or media_type.endswith("+json"):
        try:
            return _value(body)
        except (ValueError, RecursionError) as error:
            raise Fault("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}") from None
    if media_type in _SAID_OF_ANYTHING:
        try:
            return _value(body)
        except (ValueError, RecursionError):
            return body
    return body


def _value(body):
    """As json.loads(), whose look for another encoding takes a tenth of what a small call takes in all."""
    try:
        return _decoder.decode(body.decode())
    except ValueError:
        return json.loads(body)


def reply(value):
    """(content, content type) of what a handler returned: bytes as they are, anything else as JSON, as Lambda does."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value), BYTES
    return to_json(value), JSON


def piece(value):
    """(content, content type) of one thing that a generator yielded.

    `str` and `bytes` go out as they are, as in Flask; anything else is one line of JSON.
    """
    if isinstance(value, str):
        return value.encode(errors="replace"), TEXT
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value), BYTES
    return to_json(value) + b"\n", JSON_LINES


def to_json(value):
    """The value as JSON in UTF-8; a Decimal keeps all its digits, as with Lambda."""
    try:
        text = _encoder.encode(value)
        # The encoder writes no numbers but its own, so these were marked, and take their places now.
        for number, digits in enumerate(_decimals):
            text = text.replace(f'"{_mark}{number};"', digits, 1)
        # What UTF-8 cannot say, half of a surrogate pair, becomes the escape that JSON has for it.
        return text.encode(errors="backslashreplace")
    except (TypeError, ValueError, RecursionError) as error:
        raise Fault("Runtime.MarshalError", f"Unable to marshal response: {error}") from None
    finally:
        _decimals.clear()


def _replacement(unknown):
    """What stands in the text for an object that JSON does not know."""
    decimal = sys.modules.get("decimal")
    if decimal is None or not isinstance(unknown, decimal.Decimal):
        raise TypeError(f"Object of type {type(unknown).__name__} is not JSON serializable")
    if not unknown.is_finite():
        return float(unknown)
    _decimals.append(str(unknown))
    return f"{_mark}{len(_decimals) - 1};"


_decoder = json.JSONDecoder()
_decimals = []
# Nothing that a handler returns can hold it by chance.
_mark = f"decimal-{os.urandom(16).hex()}-"
_encoder = json.JSONEncoder(ensure_ascii=False, default=_replacement)
