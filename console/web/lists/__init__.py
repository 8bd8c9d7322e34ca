"""Lists and books (名单名册): what stands on them, who signs them in which order, on paper and here."""
