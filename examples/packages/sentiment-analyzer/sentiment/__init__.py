"""Rates the sentiment of texts: by a model where there is one, else by a word list."""
