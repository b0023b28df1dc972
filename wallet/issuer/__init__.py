"""The issuing desk: enrols people, issues credentials over OpenID4VCI, and publishes their status."""
