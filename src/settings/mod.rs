//! Files, layers, profiles and secrets become validated settings, and warnings with line numbers.
