"""The ports on AWS: the only home of boto3. Each module declares the IAM actions it needs."""
