"""Calls functions on a node that runs, and counts what it took: prove.py URL SERVER_PID FUNCTION=CALLS …

Every call has a body of its own, and its reply is held against what the function says of that body. A table comes out:
calls, wrong replies, processes that served them, connections to the Runtime API in all of those, calls a second. Ends
with status 1 where a reply was wrong, or a runtime that keeps its connection needed more than one for each process.

Connections are counted by the kernel: each worker has a network of its own, whose counter PassiveOpens tells how many
were ever accepted there (/proc/PID/net/snmp).
"""

import http.client
import json
import os
import sys
import time
import urllib.parse

# A program of curl's makes a connection for each of its requests: that is the program's way, not the runtime's.
RECONNECTING = {"hello-provided"}


def main(url, server, *wishes):
    address = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname, address.port)
    print(f"{'function':<18}{'calls':>8}{'wrong':>7}{'processes':>11}{'connections':>13}{'calls/s':>9}")
    is_proved = True
    for wish in wishes:
        function, _, calls = wish.partition("=")
        is_proved = prove(connection, int(server), function, int(calls)) and is_proved
    return 0 if is_proved else 1


def prove(connection, server, function, calls):
    before = accepted(server)
    wrong = processes = 0
    begun = time.monotonic()
    for number in range(calls):
        body, expected = question(function, number)
        connection.request("POST", f"/functions/{function}/invocations", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        reply = response.read()
        # A call that did not find a worker waiting had one made.
        processes += response.headers.get("Thaw-Start") not in (None, "hot")
        if response.status != 200 or not expected(reply, response.headers.get("Thaw-Invocation-Id")):
            wrong += 1
            if wrong == 1:
                print(f"{function}: call {number} was answered {response.status}: {reply[:300]!r}", file=sys.stderr)
    seconds = time.monotonic() - begun
    networks = {name: count for name, count in accepted(server).items() if name not in before}
    connections = sum(networks.values())
    print(f"{function:<18}{calls:>8}{wrong:>7}{processes:>11}{connections:>13}{calls / seconds:>9.0f}", flush=True)
    keeps = function in RECONNECTING or connections == processes
    if not keeps:
        print(f"{function}: {connections} connections where {processes} would do", file=sys.stderr)
    return wrong == 0 and keeps and processes > 0


def question(function, number):
    """The body of a call, and a check of its reply."""
    name = f"Ada {number}"
    if function == "hello-provided":
        return name, lambda reply, id: reply.decode() == f"Hello, {name}!"

    def is_right(reply, id):
        answer = json.loads(reply)
        return answer["greeting"] == f"Hello, {name}!" and answer.get("requestID", id) == id

    return json.dumps({"name": name}), is_right


def accepted(server):
    """Connections ever accepted, by the networks of the server's descendants that have seen any."""
    parents = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as file:
                parents[int(entry)] = int(file.read().rpartition(")")[2].split()[1])
        except OSError:
            continue
    own = os.readlink("/proc/self/ns/net")
    networks = {}
    for pid in parents:
        ancestor = pid
        while ancestor in parents and ancestor != server:
            ancestor = parents[ancestor]
        try:
            network = os.readlink(f"/proc/{pid}/ns/net")
            if ancestor == server and network != own:
                networks[network] = passive_opens(pid)
        except OSError:
            continue
    return {name: count for name, count in networks.items() if count > 0}


def passive_opens(pid):
    with open(f"/proc/{pid}/net/snmp") as file:
        names, values = (line.split() for line in file if line.startswith("Tcp:"))
    return int(values[names.index("PassiveOpens")])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
