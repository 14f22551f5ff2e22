"""Key populations: lists under the law in force, health files and needs."""
