"""Catalogues as they come: files cut by byte ranges into chunks, documents, records."""
