"""EventBridge's schema registry, where Lambda's shareable test events are kept."""
