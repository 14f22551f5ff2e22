"""Django's PostgreSQL backend, at home behind a pooler too."""
