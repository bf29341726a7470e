"""Coroutines of a handler, and event loops that it made while it was imported."""

import gc
import sys

_own = None
_of_the_import = []


def run(awaitable):
    """The result of what an `async def` handler returned; all calls of a worker share one loop."""
    import asyncio

    global _own
    if _own is None or _own.is_closed():
        _own = asyncio.new_event_loop()
        asyncio.set_event_loop(_own)
    return _own.run_until_complete(awaitable)


def iterate(stream):
    """The elements of an asynchronous iterator."""
    end = object()

    async def step():
        return await anext_of(stream, end)

    while (element := run(step())) is not end:
        yield element


async def anext_of(stream, end):
    """The next element, or `end`."""
    try:
        return await stream.__anext__()
    except StopAsyncIteration:
        return end


def find():
    """Remembers the loops that exist; in the zygote, because a search through all objects takes its time."""
    selector_events = sys.modules.get("asyncio.selector_events")
    if selector_events:
        kind = selector_events.BaseSelectorEventLoop
        _of_the_import[:] = [thing for thing in gc.get_objects() if isinstance(thing, kind) and not thing.is_closed()]


def renew():
    """Gives each of them a selector and a self-pipe of its own, in a fork.

    An epoll descriptor is shared by all forks: without this, one worker would be woken by the sockets of another.
    """
    for loop in _of_the_import:
        try:
            watched = [key for key in loop._selector.get_map().values() if key.fileobj is not loop._ssock]
            # Closing ends this process's hold on it; unregistering would take the descriptors from the others too.
            loop._selector.close()
            loop._selector = type(loop._selector)()
            loop._ssock.close()
            loop._csock.close()
            loop._internal_fds -= 1
            loop._make_self_pipe()
            for key in watched:
                loop._selector.register(key.fileobj, key.events, key.data)
        except AttributeError:
            print(f"thaw: {loop!r} was made at import and cannot be renewed; make it in the handler", file=sys.stderr)
