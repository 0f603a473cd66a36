"""Access policies without I/O: documents, conditions, decisions. AWS: IAM User Guide, "Policy evaluation logic"."""
