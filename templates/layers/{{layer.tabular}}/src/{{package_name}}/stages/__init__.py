"""The stages: small command lines around the team's `model`, called by the pipelines."""
