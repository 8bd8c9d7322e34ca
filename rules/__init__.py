"""What is known about a student and which conditions apply: vocabulary, guard rules, calendars."""
