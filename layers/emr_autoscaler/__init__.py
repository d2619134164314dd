"""The shared package of EMR Autoscaler: what every deployed function is made of."""
