"""The typed expression language of dates, conditions, defaults and filters."""
