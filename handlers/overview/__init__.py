"""How the server is doing, in sentences, numbers and bars: for the overview of the console, and for programs."""
