"""The command emr-autoscaler: operating a deployed system, reading its costs, simulating. Not deployed."""
