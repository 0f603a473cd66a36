"""CloudWatch Logs Insights: a query as text becomes commands, and those a pipeline over log records.

AWS: CloudWatch Logs user guide, "CloudWatch Logs Insights language query syntax".
"""
