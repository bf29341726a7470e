"""FastAPI + ONNX Runtime, served by uvicorn."""

import base64
import struct

import embedding
import fastapi
import pydantic

app = fastapi.FastAPI()


class Request(pydantic.BaseModel):
    text: str


class EmbeddingsRequest(pydantic.BaseModel):
    model: str
    input: str
    encoding_format: str = "float"


@app.post("/v1/embeddings")
def embeddings(request: EmbeddingsRequest) -> dict:
    vector = embedding.embed(request.input)
    if request.encoding_format == "base64":
        vector = base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
    data = [{"object": "embedding", "index": 0, "embedding": vector}]
    return {"object": "list", "data": data, "model": request.model}


@app.post("/")
def embed(request: Request) -> dict:
    return {"embeddings": [embedding.embed(request.text)]}
