"""Files in and out: rosters, fact sheets, registration files, forms."""
