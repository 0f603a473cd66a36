"""The console's files and its one-time sign-in; everything else the console does through the public API."""
