"""Reading a roster's file: sandboxed opening, recognising columns, parsing cells and rows."""
