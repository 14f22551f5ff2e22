"""Reminders and messages: what is due is told once, in the inbox and by outside channels."""
