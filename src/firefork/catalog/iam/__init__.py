"""Who there is and what is attached to them: roles, users, groups, policies, access keys. AWS: IAM API reference."""
