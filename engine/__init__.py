"""The domain: definitions in, decisions out, kept in a store, recorded in a trail."""
