//! What lies over the panes for a moment: palette, help, prompt, toast.
