"""Brings requests to the sessions: Engine.IO over Tornado's HTTP. Decides nothing about sessions."""
