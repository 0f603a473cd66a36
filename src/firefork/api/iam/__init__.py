"""IAM's operations, one file a resource. AWS: IAM API reference."""
