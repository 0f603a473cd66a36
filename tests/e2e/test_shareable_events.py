"""Lambda's shareable test events, as the SAM CLI keeps them in EventBridge's schema registry."""

import json

SOURCE = "def handler(event, context):\n    return {'got': event}\n"


class TestSam:
    def test_puts_lists_gets_invokes_and_deletes_events(self, tool, make_function, server, arn_of):
        """By the function's ARN; a plain name is looked up in a CloudFormation stack, which there is none of."""
        function = make_function(SOURCE)
        arn = arn_of(function.name)

        def sam(*arguments, **options):
            return tool("sam", "remote", *arguments, **options).stdout

        first = {"name": "you", "detail": {"count": 3}}
        assert "completed successfully" in sam(
            *("test-event", "put", arn, "--name", "first", "--file", "-"), input=json.dumps(first)
        )
        sam("test-event", "put", arn, "--name", "second", "--file", "-", input='{"name": "me"}')
        assert sam("test-event", "list", arn).split() == ["first", "second"]
        assert json.loads(sam("test-event", "get", arn, "--name", "first")) == first
        answer = sam("invoke", arn, "--test-event-name", "second")
        assert json.loads(answer) == {"got": {"name": "me"}}
        sam("test-event", "delete", arn, "--name", "first")

        schemas = server.client("schemas")
        registry, schema = "lambda-testevent-schemas", f"_{function.name}-schema"
        kept = json.loads(schemas.describe_schema(RegistryName=registry, SchemaName=schema)["Content"])
        assert list(kept["components"]["examples"]) == ["second"]
        assert kept["components"]["schemas"]["Event"]["required"] == ["name", "detail"]
