import json
import platform


def handler(event, context):
    """Answers an API Gateway or function URL request."""
    name = (event.get("queryStringParameters") or {}).get("name", "nobody")
    print(json.dumps({"level": "INFO", "message": "request", "path": event.get("rawPath")}))
    return {
        "statusCode": 200,
        "headers": {"content-type": "application/json"},
        "body": json.dumps({"name": name, "python": platform.python_version()}),
    }
