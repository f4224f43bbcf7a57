"""Reading free English about shapes into claims that a scene settles."""
