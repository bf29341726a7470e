"""What a function may import of Thaw. All of it is optional: a handler written for Lambda needs none of it."""

from snapshot_restore_py import register_after_restore, register_before_snapshot

from thaw_runtime.calls import FunctionError, InvokeError, invoke

__all__ = ["FunctionError", "InvokeError", "Reply", "invoke", "register_after_restore", "register_before_snapshot"]


class Reply:
    """A reply whose content type the handler chooses.

    `content` is what a handler may return: `str` and `bytes` go out as they are, an iterator piece by piece, and anything
    else as JSON.

        return thaw.Reply("<h1>Hello</h1>", "text/html; charset=utf-8")
        return thaw.Reply(events(), "text/event-stream")
    """

    def __init__(self, content, content_type):
        self.content = content
        self.content_type = content_type
