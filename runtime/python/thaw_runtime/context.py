"""The second argument of a handler: the context object of Lambda."""

import json
import os
import sys
import time

from .failures import Fault


class _Record:
    """An object whose attributes are the listed keys of a dictionary; what is missing is None."""

    keys = ()

    def __init__(self, values):
        for key in self.keys:
            setattr(self, key, values.get(key))

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(f'{key}={getattr(self, key)!r}' for key in self.keys)})"


class Client(_Record):
    """The app that calls, as the mobile SDK describes it."""

    keys = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")


class ClientContext(_Record):
    """What the caller sent in X-Amz-Client-Context."""

    keys = ("custom", "env", "client")

    def __init__(self, values):
        super().__init__(values)
        if isinstance(self.client, dict):
            self.client = Client(self.client)


class Identity(_Record):
    """Who calls; a node knows no Cognito identities, so both are None."""

    keys = ("cognito_identity_id", "cognito_identity_pool_id")


class Context:
    """Lambda's context of one call."""

    function_name = None
    function_version = None
    memory_limit_in_mb = None
    log_group_name = None
    log_stream_name = None
    identity = Identity({})
    tenant_id = None

    @classmethod
    def read_environment(cls):
        """Takes what is the same for all calls of a worker; once, after its environment is as it should be."""
        cls.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        cls.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        cls.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        cls.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        cls.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")

    def __init__(self, head):
        self.aws_request_id = head.get("id")
        self.invoked_function_arn = head.get("arn")
        self.client_context = _client_context(head.get("client_context"))
        self._deadline_milliseconds = head.get("deadline_ms") or 0

    def get_remaining_time_in_millis(self):
        """Milliseconds until the call is ended, never negative."""
        return max(0, self._deadline_milliseconds - int(time.time() * 1000))

    def log(self, message):
        """Writes to the function's log, as it is."""
        sys.stdout.write(str(message))

    def __repr__(self):
        return (
            f"Context(aws_request_id={self.aws_request_id!r}, function_name={self.function_name!r}, "
            f"function_version={self.function_version!r}, invoked_function_arn={self.invoked_function_arn!r})"
        )


def _client_context(given):
    """What the caller sent, an object or its JSON; None where that is nothing."""
    if not given:
        return None
    try:
        values = json.loads(given) if isinstance(given, str) else given
        return ClientContext(values)
    except (ValueError, AttributeError, RecursionError) as error:
        raise Fault("Runtime.LambdaContextUnmarshalError", f"Unable to parse Client Context JSON: {error}") from None
