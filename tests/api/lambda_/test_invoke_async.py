"""InvokeAsync, the deprecated form of an asynchronous invoke. AWS: Lambda API reference, InvokeAsync."""

import pytest

SOURCE = "def handler(event, context): print('ran', event['n'])\n"


class TestInvokeAsync:
    @pytest.mark.filterwarnings("ignore:The `invoke_async` operation is deprecated")
    def test_is_accepted_and_runs(self, make_function, lambda_, eventually):
        function = make_function(SOURCE)
        answer = lambda_.invoke_async(FunctionName=function.name, InvokeArgs=b'{"n": 7}')
        assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Status"]) == (202, 202)
        eventually(lambda: any("ran 7" in message for message in function.messages()))

    def test_refuses_what_an_event_invoke_refuses(self, name, lambda_, refusal, arn_of):
        answer = refusal(lambda_.invoke_async, FunctionName=name, InvokeArgs=b"{")
        assert answer["Error"]["Code"] == "InvalidRequestContentException"
        answer = refusal(lambda_.invoke_async, FunctionName="doesnotexist", InvokeArgs=b"{}")
        assert answer["Message"] == f"Function not found: {arn_of('doesnotexist')}:$LATEST"
