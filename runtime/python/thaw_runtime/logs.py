"""What a function prints and logs, on its way to the function's log."""

import logging
import os
import sys
import time

_FORMAT = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
_request_id = ""


def prepare_streams():
    """Each line of stdout and stderr leaves when it ends, in UTF-8, and no text can make printing fail."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)


def prepare_logging():
    """Gives the root logger a handler in Lambda's format, so that `logging.info` needs no set-up; before the import."""
    logging.Formatter.converter = time.gmtime
    handler = _Stream()
    handler.setFormatter(logging.Formatter(_FORMAT, "%Y-%m-%dT%H:%M:%S"))
    handler.addFilter(_name_the_call)
    root = logging.getLogger()
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
    if level in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"):
        root.setLevel(level)
    root.addHandler(handler)


def begin_call(request_id):
    """Lines that are logged from now on name this call."""
    global _request_id
    _request_id = request_id


def flush():
    """What was printed without an end of line goes out too; an output that the function closed is its own affair."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass


class _Stream(logging.Handler):
    """Writes to whatever stdout is when a line is logged, also when a function has replaced it."""

    def emit(self, record):
        try:
            sys.stdout.write(self.format(record) + "\n")
        except Exception:
            self.handleError(record)


def _name_the_call(record):
    record.aws_request_id = _request_id
    return True
