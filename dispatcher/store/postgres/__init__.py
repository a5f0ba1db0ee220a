"""The store in a PostgreSQL database, which several servers may share one day. Needs the extra ``postgres``."""
