"""The command emr-autoscaler."""
