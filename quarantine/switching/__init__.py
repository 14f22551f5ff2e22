"""What a change of policy does to open cases: groups, preview, sweep."""
