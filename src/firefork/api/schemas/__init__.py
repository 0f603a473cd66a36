"""EventBridge Schemas: the registry that holds Lambda's shareable test events."""
