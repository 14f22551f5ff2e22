"""Key populations: who is listed under the law in force, their health files, their needs."""
