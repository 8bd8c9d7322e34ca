"""The queue (待办): what waits for a person, one case after another decided, undone, found again."""
