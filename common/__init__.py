"""What knows nothing of people: clock, errors, paging, encryption, pinyin, places, locks."""
