"""Pages about residents, their households and rosters."""
