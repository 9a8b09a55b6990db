"""Products in Elasticsearch: whole documents, one stored vector an image, graphs that it builds."""
