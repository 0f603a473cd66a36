"""CloudWatch: the metrics of functions, and those that anybody puts there."""
