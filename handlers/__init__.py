"""HTTP: the routes in one list, and the handlers behind them. They know the service, but no store or transport."""
