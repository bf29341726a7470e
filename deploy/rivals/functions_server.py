"""functions-framework + ONNX Runtime, as a cloud function would be written."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import embedding  # noqa: E402
import functions_framework  # noqa: E402


@functions_framework.http
def embed(request):
    return {"embeddings": [embedding.embed(request.get_json()["text"])]}
