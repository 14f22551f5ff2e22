"""A case: its facts, the law it follows, its plan and calendar, its beginning and end."""
