"""``/metrics``: the node's measures in the text form that Prometheus and others read."""
