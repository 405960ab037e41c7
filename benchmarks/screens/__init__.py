"""How often screens fire on honest and on arranged tenders."""
