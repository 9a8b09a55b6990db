"""Making models. The only place that may import TensorFlow; no service needs it to run."""
