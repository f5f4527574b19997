"""What a function runs with: settings, secrets, the clock, its deadline."""
