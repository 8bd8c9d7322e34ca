"""Files in and out: sheets sent, checked, confirmed and taken in; lists taken along."""
