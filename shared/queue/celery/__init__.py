"""The doorbell over Celery on Redis: who rings, and who is rung."""
