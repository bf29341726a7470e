def handler(event, context):
    return {"greeting": f"Hello, {event['name']}!", "requestID": context.aws_request_id}
