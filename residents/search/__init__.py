"""Search for residents by name, pinyin, number, phone or address."""
