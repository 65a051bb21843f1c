"""The leaderboard: tasks, what was found on them, and the page that says so."""
