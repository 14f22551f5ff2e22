"""
Rosters: files with people, from the upload to the register and back.

A file is read in a process of its own (`reading`), its columns are recognised (`columns`), every
row is checked (`cells`, `checking`), and what is accepted is taken over set by set (`applying`),
until somebody takes it back (`undoing`).
"""
