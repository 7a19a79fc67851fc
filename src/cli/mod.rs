//! Command line: clap definitions and the commands that need no screen.
