//! Clients: one folder per outside system. Nobody else speaks HTTP, and no wire type leaves its client.
