"""What went wrong, in the shape that Lambda's runtimes post: {errorMessage, errorType, requestId, stackTrace}."""

import json
import os
import sys
import traceback

# A message over a socket with packets has to fit, and nobody reads a longer one.
MESSAGE_CHARACTERS_MAX = 8 * 1024
# The outermost and the innermost frames of a deep recursion say it all.
TRACE_ENTRIES_MAX = 40
TRACE_CHARACTERS_MAX = 512

_HERE = os.path.dirname(__file__) + os.sep


class Fault(Exception):
    """A failure that this runtime found itself, with the name that Lambda's gives it."""

    def __init__(self, kind, message, trace=()):
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.trace = list(trace)


def describe(error, request_id=None):
    """`error`, an exception that was caught, as the dictionary of Lambda."""
    if isinstance(error, Fault):
        return _document(error.message, error.kind, error.trace, request_id)
    if isinstance(error, SystemExit):
        return _document(_exit_message(error, request_id), "Runtime.ExitError", _trace(error), request_id)
    return _document(_text(error), type(error).__name__, _trace(error), request_id)


def encode(document):
    """The document as JSON, in ASCII, so that a lone surrogate in a message cannot spoil it."""
    return json.dumps(document).encode()


def log(document):
    """Tells the function's log, as Lambda does."""
    lines = [f"[ERROR] {document['errorType']}: {document['errorMessage']}"]
    if document["stackTrace"]:
        lines.append("Traceback (most recent call last):")
        lines.extend(entry.rstrip("\n") for entry in document["stackTrace"])
    try:
        print("\n".join(lines), flush=True)
    except (OSError, ValueError):
        # The function closed its own output; the caller gets the document all the same.
        pass


def exit_status(error):
    """The status with which a process ends that raised this SystemExit."""
    if error.code is None:
        return 0
    return error.code & 0xFF if isinstance(error.code, int) else 1


def _exit_message(error, request_id):
    status = exit_status(error)
    reason = "Runtime exited without providing a reason"
    if status:
        reason = f"Runtime exited with error: exit status {status}"
    return f"RequestId: {request_id} Error: {reason}" if request_id else f"Error: {reason}"


def _document(message, kind, trace, request_id):
    document = {"errorMessage": _cut(message, MESSAGE_CHARACTERS_MAX), "errorType": kind}
    if request_id is not None:
        document["requestId"] = request_id
    document["stackTrace"] = [_cut(entry, TRACE_CHARACTERS_MAX) for entry in trace]
    return document


def _text(error):
    try:
        return str(error)
    except Exception as second:
        return f"<the message of {type(error).__name__} raised {type(second).__name__}>"


def _trace(error):
    """The frames of the author's code, outermost first, as `traceback.format_list` writes them."""
    entries = traceback.extract_tb(error.__traceback__)
    while entries and (entries[0].filename.startswith(_HERE) or "importlib" in entries[0].filename):
        entries.pop(0)
    if len(entries) > TRACE_ENTRIES_MAX:
        half = TRACE_ENTRIES_MAX // 2
        left_out = f"  … {len(entries) - 2 * half} more …\n"
        return traceback.format_list(entries[:half]) + [left_out] + traceback.format_list(entries[-half:])
    return traceback.format_list(entries)


def _cut(text, count_max):
    return text if len(text) <= count_max else text[: count_max - 1] + "…"


def print_unraisable(error):
    """An error of this runtime itself: told in full, on the function's log."""
    traceback.print_exception(type(error), error, error.__traceback__, file=sys.stderr)
