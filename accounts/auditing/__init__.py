"""The audit log: entries, the hash chain over them, and anchors outside the database."""
