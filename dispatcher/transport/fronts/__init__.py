"""What brings requests to the sessions: Engine.IO over the HTTP of Tornado."""
