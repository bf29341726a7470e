"""A network beside the machine's, with a web server in it.

Prints the machine's address there and the server's, answers every GET on port 8000 with `beside`, and ends with its input.
Needs root, and ip of Debian's package iproute2.
"""

import ctypes
import http.server
import os
import subprocess
import sys
import threading

CLONE_NEWNET = 0x40000000


class Beside(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"beside")

    def log_message(self, *words):
        pass


def serve(ready, parent):
    """In the new network: until the other process has gone."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        sys.exit("no network namespace")
    server = http.server.ThreadingHTTPServer(("0.0.0.0", 8000), Beside)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.write(ready, b"r")
    os.close(ready)
    os.read(parent, 1)
    os._exit(0)


def ip(*words):
    subprocess.run(["ip", *words], check=True, stdin=subprocess.DEVNULL, env={"PATH": "/usr/sbin:/sbin:/usr/bin"})


ready = os.pipe()
parent = os.pipe()
child = os.fork()
if child == 0:
    os.close(parent[1])
    os.dup2(os.open("/dev/null", os.O_RDWR), 0)
    os.dup2(0, 1)
    serve(ready[1], parent[0])
os.close(ready[1])
if os.read(ready[0], 1) != b"r":
    sys.exit("the server did not start")
number = os.getpid() % 16384
prefix = f"10.213.{number // 64}."
ours, theirs = (f"{prefix}{number % 64 * 4 + place}" for place in (1, 2))
inside = ("--target", str(child), "--net", "ip")
ip("link", "add", f"beside{number}", "type", "veth", "peer", "name", "eth0", "netns", str(child))
ip("address", "add", f"{ours}/30", "dev", f"beside{number}")
ip("link", "set", f"beside{number}", "up")
for words in (["address", "add", f"{theirs}/30", "dev", "eth0"], ["link", "set", "eth0", "up"]):
    subprocess.run(["nsenter", *inside, *words], check=True, stdin=subprocess.DEVNULL)
print(ours, theirs, flush=True)
sys.stdin.buffer.read()
