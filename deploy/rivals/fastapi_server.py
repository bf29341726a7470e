"""FastAPI + ONNX Runtime, served by uvicorn."""

import embedding
import fastapi
import pydantic

app = fastapi.FastAPI()


class Request(pydantic.BaseModel):
    text: str


@app.post("/")
def embed(request: Request) -> dict:
    return {"embeddings": [embedding.embed(request.text)]}
