"""Whose key is this, and may they issue that?"""
