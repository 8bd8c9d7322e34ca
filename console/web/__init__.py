"""Pages and the REST interface: what people at a browser see and do."""
