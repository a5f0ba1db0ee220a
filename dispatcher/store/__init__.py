"""Stores: the truth about jobs. ``port.Store`` says what each must do; ``opening.open_store`` picks one by its URL."""
