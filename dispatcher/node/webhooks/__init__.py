"""Sends messages about changes to receivers, and keeps the endpoints that administrators have made."""
