"""Finding people by name, pinyin, number, phone or door."""
