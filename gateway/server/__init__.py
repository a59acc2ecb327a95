"""The process: uvicorn's server and protocols with the parts the gateway overrides."""
