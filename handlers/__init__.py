"""HTTP: the routes in one list, and the handlers behind them. They know the service, and no store or transport."""
