"""Ranks texts by how near they are to a question: the vectors come from the function `embed`."""

import thaw


def handler(event, context):
    question, texts = event["question"], event["texts"]
    vectors = thaw.invoke("embed", {"text": [question, *texts]})["embeddings"]
    # Vectors of length one: their inner product is the cosine.
    scores = [sum(a * b for a, b in zip(vectors[0], vector)) for vector in vectors[1:]]
    best = max(range(len(texts)), key=scores.__getitem__)
    return {"nearest": texts[best], "scores": [round(score, 4) for score in scores]}
