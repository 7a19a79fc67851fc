//! The embedded simulated datacentre: the real protocol over loopback.
