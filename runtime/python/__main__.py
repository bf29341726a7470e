"""Starts the Python runtime: `python3 /var/runtime/python HANDLER`, with the template's socket as descriptor 3."""

import sys

from thaw_runtime.zygote import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
