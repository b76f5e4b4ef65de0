"""Training that survives: exact resume, stages, the devices and hosts it runs on."""
