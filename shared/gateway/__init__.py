"""The HTTP side: deliveries in, pages and probes out. Never calls Azure DevOps or a model."""
