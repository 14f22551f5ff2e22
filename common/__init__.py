"""Helpers below all applications: clock, errors, paging, encryption, pinyin, places, locks."""
