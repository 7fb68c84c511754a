"""IRC, the second door of the hub. Knows nothing of the line protocol, of the store, of the
configuration, nor of how it is listened for."""
