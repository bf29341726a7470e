"""Sums up what was read in a file, of the record that a destination is told."""


def handler(event, context):
    read = event["responsePayload"]
    digits = read["digits"]
    return {"file": read["file"], "count": len(digits), "sum": sum(digits)}
