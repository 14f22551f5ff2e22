"""What is done on a case: samples and results, daily checks, outings, release, undo."""
