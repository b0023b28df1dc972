"""The wallet: the desk that issues credentials, and the holder who keeps and shows them. Two roles, no shared code."""
