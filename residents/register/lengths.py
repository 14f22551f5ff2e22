"""
How long what is kept of people and doors may be, wherever it is typed or read.

What is typed may be longer than what is kept: spaces and marks come out, and what is still too
long is refused with a sentence that counts, which a field that stops taking letters cannot say.
"""

SHORTEST_NAME, LONGEST_NAME = 2, 50
LONGEST_BUILDING = 50
LONGEST_UNIT = 20
LONGEST_DOOR = 20
LOWEST_FLOOR, HIGHEST_FLOOR = -9, 199

TYPED_NAME = 120
TYPED_NUMBER = 40
TYPED_PHONE = 40
