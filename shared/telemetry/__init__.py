"""Every event and metric the app emits, each a typed thing; redaction before anything leaves."""
