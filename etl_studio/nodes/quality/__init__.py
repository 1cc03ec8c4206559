"""Quality: rules that rows must keep."""
