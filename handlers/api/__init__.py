"""The JSON API under ``/api/v1``. It knows no page of the console."""
