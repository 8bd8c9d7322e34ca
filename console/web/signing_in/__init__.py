"""The pages by which people come in, go out, prove once more who they are, and set what is their own."""
