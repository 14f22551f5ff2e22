"""Facts put right: corrected, withdrawn or given to the right person; nothing is overwritten."""
