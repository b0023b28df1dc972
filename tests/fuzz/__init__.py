"""Fuzzing: whatever bytes arrive, a reader answers with a value or an SsiError, soon and in little memory."""
