"""What a policy would have done on recorded metrics of a cluster; docs/backtest.md has the method."""
