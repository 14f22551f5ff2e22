"""The questions of the contract as an API and as forms, with the answers in words."""
