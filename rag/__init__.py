"""Citewise: cited, verified answers from your own documents, offline."""
