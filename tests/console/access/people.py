"""Who holds the accounts of these tests, and when they take place."""

from datetime import UTC, datetime, timedelta

NOW = datetime(2024, 5, 15, 9, 31, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
STAFF = ("zhou", "lin", "he")
STUDENT = "chen"
NOBODY = "nobody"
GOOD = "柳桥的梧桐叶落了三次"
OTHER = "correct horse of Liuqiao"
KEY = b"a key that only tests use, really"
