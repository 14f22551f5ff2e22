"""
Rosters: importing files with people into the register, and undoing it.

A file is read in a separate process (`reading`), its columns are recognised (`columns`), every row
is checked (`cells`, `checking`), accepted rows are imported in chunks (`applying`), and an import
can be undone (`undoing`).
"""
