"""The bodies of answers, and how figures become text: amounts as decimal strings with all decimals of their currency."""
