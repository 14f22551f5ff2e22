"""The questions of the contract: a JSON object in, a JSON object out."""
