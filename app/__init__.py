"""The program itself: command line, document, window. May import everything below it."""
