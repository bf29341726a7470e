"""Prints what a call was and what came back, and fails where that is not what it should be."""

import os

url = os.environ["THAW_URL"].rstrip("/")
token = os.environ.get("THAW_TOKEN")


def show(call: str, answer) -> None:
    text = str(answer)
    print(f"{call}\n    -> {text if len(text) <= 300 else text[:300] + ' …'}")


def answers(call: str, act, check=lambda answer: True):
    """The call answers, and what it answers passes the check."""
    answer = act()
    show(call, answer)
    if not check(answer):
        raise SystemExit(f"{call}: this is not what it should answer")
    return answer


def refuses(call: str, act, kind, words: str) -> None:
    """The call fails with the client's own exception, and our sentence in it."""
    try:
        answer = act()
    except kind as error:
        show(call, f"{type(error).__name__}: {error}")
        if words not in str(error):
            raise SystemExit(f"{call}: the sentence lacks {words!r}")
        return
    raise SystemExit(f"{call}: answered {answer}, where {kind.__name__} was due")
