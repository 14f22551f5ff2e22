"""
Limits of the lengths of names, addresses and typed input, for forms and rosters.

Input may be longer than the stored value, because normalising removes spaces and marks. A value
that is still too long is refused with a sentence that gives the count, which `maxlength` of the
browser cannot do.
"""

SHORTEST_NAME, LONGEST_NAME = 2, 120
LONGEST_BUILDING = 50
LONGEST_UNIT = 20
LONGEST_DOOR = 20
LOWEST_FLOOR, HIGHEST_FLOOR = -9, 199

TYPED_NAME = 200
TYPED_NUMBER = 40
TYPED_PHONE = 40
