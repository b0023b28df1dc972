"""Tests: one folder for each room, and flows through the whole house."""
