"""Who is told what and when: reminders, digests, messages, outbox, mailers."""
