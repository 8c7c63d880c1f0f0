"""Interpret a synthesized CDK assembly and play AWS around it; knows nothing of the platform it rehearses."""
