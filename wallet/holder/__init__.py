"""The holder: one person's wallet, kept for many people by one service, readable for each of them alone."""
