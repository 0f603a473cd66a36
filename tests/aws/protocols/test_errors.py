"""The bodies of errors that no model knows."""

import json
from xml.etree import ElementTree

from firefork.aws.errors import AccessDenied, ValidationError
from firefork.aws.protocols import json_rpc, query, rest_json


class TestAccessDenied:
    """As clients have shown it: Message with a capital, though Lambda's other unmodelled errors have none."""

    def test_of_lambda_and_logs(self):
        for protocol, service, status in ((rest_json, "lambda", 403), (json_rpc, "logs", 400)):
            answer = protocol.serialize_error(service, AccessDenied("no"), "id")
            body = json.loads(answer.body)
            assert answer.status == status
            assert body["Message"] == "no"
            assert "message" not in body
            assert "message" in json.loads(protocol.serialize_error(service, ValidationError("x"), "id").body)

    def test_of_iam(self):
        answer = query.serialize_error("iam", AccessDenied("no"), "id")
        root = ElementTree.fromstring(answer.body)
        space = "{https://iam.amazonaws.com/doc/2010-05-08/}"
        assert root.findtext(f"{space}Error/{space}Message") == "no"
        assert root.findtext(f"{space}Error/{space}Type") == "Sender"


class TestQueryMaps:
    def test_are_entries(self):
        """GetAccountSummary has the one map of IAM."""
        answer = query.serialize("iam", "GetAccountSummary", {"SummaryMap": {"Users": 3}}, "id")
        root = ElementTree.fromstring(answer.body)
        space = "{https://iam.amazonaws.com/doc/2010-05-08/}"
        entry = root.find(f"{space}GetAccountSummaryResult/{space}SummaryMap/{space}entry")
        assert (entry.findtext(f"{space}key"), entry.findtext(f"{space}value")) == ("Users", "3")
