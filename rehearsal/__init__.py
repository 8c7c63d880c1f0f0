"""Rehearse the whole platform on this machine, from its own synthesized templates; never talks to an AWS account."""
