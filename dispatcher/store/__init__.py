"""Stores: the truth about jobs. ``port.Store`` is what each must do; ``opening.open_store`` picks one by its URL."""
