"""A function of functions-framework that does nothing, as the rival of one in Thaw."""

import functions_framework


@functions_framework.http
def handle(request):
    return {"ok": True}
