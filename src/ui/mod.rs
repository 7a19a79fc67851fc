//! Theme, widgets, and text made safe for a terminal.
