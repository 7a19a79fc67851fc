//! Readers: what the screens are interested in becomes requests at the right rhythm.
