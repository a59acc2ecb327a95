"""The REST surface as an OpenAPI 3.1 document, made of the descriptions that its routes carry."""
