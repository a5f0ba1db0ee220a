"""The newest changes, and those who follow them."""
