"""The shared language of all roles: no web framework, no database, no key at rest, no clock."""
