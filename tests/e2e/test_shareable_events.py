"""Lambda's shareable test events, as the SAM CLI keeps them in EventBridge's schema registry."""

import json

SOURCE = "def handler(event, context):\n    return {'got': event}\n"


class TestSam:
    def test_puts_lists_gets_invokes_and_deletes_events(self, sam, make_function, server, tmp_path):
        """By the function's ARN; a plain name is looked up in a CloudFormation stack, which there is none of."""
        function = make_function(SOURCE)
        arn = function.client.get_function(FunctionName=function.name)["Configuration"]["FunctionArn"]
        first = {"name": "you", "detail": {"count": 3}}
        assert "completed successfully" in sam(
            *("remote", "test-event", "put", arn, "--name", "first", "--file", "-"), stdin=json.dumps(first)
        )
        sam("remote", "test-event", "put", arn, "--name", "second", "--file", "-", stdin='{"name": "me"}')
        assert sam("remote", "test-event", "list", arn).split() == ["first", "second"]
        assert json.loads(sam("remote", "test-event", "get", arn, "--name", "first")) == first
        answer = sam("remote", "invoke", arn, "--test-event-name", "second")
        assert json.loads(answer) == {"got": {"name": "me"}}
        sam("remote", "test-event", "delete", arn, "--name", "first")

        schemas = server.client("schemas")
        registry, schema = "lambda-testevent-schemas", f"_{function.name}-schema"
        kept = json.loads(schemas.describe_schema(RegistryName=registry, SchemaName=schema)["Content"])
        assert list(kept["components"]["examples"]) == ["second"]
        assert kept["components"]["schemas"]["Event"]["required"] == ["name", "detail"]
