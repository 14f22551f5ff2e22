"""What stands in a roster's file: opened apart, columns recognised, cells and rows read."""
