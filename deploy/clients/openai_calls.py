"""The stock OpenAI client over every call that a node with functions/embed answers."""

import math

import openai
from saying import answers, refuses, token, url

client = openai.OpenAI(base_url=f"{url}/v1", api_key=token or "none", max_retries=0)
create = client.embeddings.create

answers("models.list()", client.models.list, lambda page: "embed" in [model.id for model in page.data])
answers("models.retrieve('embed')", lambda: client.models.retrieve("embed"), lambda model: model.owned_by == "thaw")
refuses("models.retrieve('nobody')", lambda: client.models.retrieve("nobody"), openai.NotFoundError, "nobody")

text = "The quick brown fox jumps over the lazy dog"
one = answers(
    "embeddings.create(model='embed', input=text)  # base64 unless told otherwise",
    lambda: create(model="embed", input=text),
    lambda reply: len(reply.data) == 1 and len(reply.data[0].embedding) == 384 and reply.usage.total_tokens > 9,
)
vector = one.data[0].embedding
print(f"    request id {one._request_id}")
floats = answers(
    "embeddings.create(…, encoding_format='float')",
    lambda: create(model="embed", input=text, encoding_format="float"),
    lambda reply: max(abs(a - b) for a, b in zip(reply.data[0].embedding, vector)) < 1e-7,
)
answers(
    "embeddings.create(…, input=[text, 'other'])",
    lambda: create(model="embed", input=[text, "other"]),
    lambda reply: [item.index for item in reply.data] == [0, 1]
    and max(abs(a - b) for a, b in zip(reply.data[0].embedding, vector)) < 1e-5,
)
answers(
    "embeddings.create(…, dimensions=64)",
    lambda: create(model="embed", input=text, dimensions=64),
    lambda reply: len(reply.data[0].embedding) == 64
    and abs(math.fsum(number * number for number in reply.data[0].embedding) - 1) < 1e-5,
)
# "[CLS] hello [SEP]" as ids of this model's own tokenizer, special ones included.
hello = create(model="embed", input="hello").data[0].embedding
for ids in ([101, 7592, 102], [[101, 7592, 102], [101, 102]]):
    answers(
        f"embeddings.create(…, input={ids})",
        lambda: create(model="embed", input=ids),
        lambda reply: max(abs(a - b) for a, b in zip(reply.data[0].embedding, hello)) < 1e-5,
    )
answers("embeddings.create(model='embed:latest', …)", lambda: create(model="embed:latest", input=text))
answers("embeddings.create(model='embed@1', …)", lambda: create(model="embed@1", input=text))

refuses("embeddings.create(model='nobody', …)", lambda: create(model="nobody", input=text), openai.NotFoundError, "nobody")
refuses("embeddings.create(…, input=[])", lambda: create(model="embed", input=[]), openai.BadRequestError, "empty")
refuses(
    "embeddings.create(…, dimensions=1000)",
    lambda: create(model="embed", input=text, dimensions=1000),
    openai.BadRequestError,
    "384",
)
refuses(
    "embeddings.create(model='digits', …)",
    lambda: create(model="digits", input=text),
    openai.BadRequestError,
    "no embeddings",
)
if token:
    wrong = openai.OpenAI(base_url=f"{url}/v1", api_key="wrong", max_retries=0)
    refuses("models.list() with a wrong key", wrong.models.list, openai.AuthenticationError, "token")
