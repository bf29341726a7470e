"""Says hello: the smallest function in Python that does something with what it is asked."""

import os

# Once, while the template is made; every worker starts with it.
GREETING = os.environ.get("GREETING", "Hello")


def handler(event, context):
    """`event` is the JSON of the call; of a call by URL it holds the query."""
    query = event.get("queryStringParameters") or {}
    name = event.get("name") or query.get("name") or "world"
    print(f"greeting {name}")
    return {"greeting": f"{GREETING}, {name}!"}
