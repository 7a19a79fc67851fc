//! The console on a server of the test.

use crate::support::{
    recording::Recording,
    replay::Replay,
    terminal::{Launch, Terminal},
};

/// A token's shape; the server of a test lets everybody in unless told otherwise.
pub(crate) const TOKEN: &str = "root@pam!test=00000000-0000-4000-8000-000000000000";

/// The command line that opens the console on a server.
pub(crate) fn launch(server: &Replay) -> Launch {
    Launch::pvedeck()
        .arg("--url")
        .arg(&server.url())
        .arg("--ca-file")
        .arg(server.ca_file().to_str().unwrap())
        .env("PVEDECK_TOKEN", TOKEN)
}

/// The console on a server, wide, once `text` is on the screen.
pub(crate) fn open(server: &Replay, text: &str) -> Terminal {
    let mut terminal = launch(server).size(140, 40).start();
    terminal.wait_for(text);
    terminal
}

/// The recording of a folder over a longer one; `None` without the reference data.
pub(crate) fn recorded(folder: &str) -> Option<Recording> {
    Some(Recording::load(folder)?.over(Recording::load("pve-9.2-node")))
}

/// The row of the screen that shows the selection, without what stands before it.
pub(crate) fn selected(screen: &str) -> Option<&str> {
    let row = screen.lines().find(|line| line.contains('▸'))?;
    row.split('▸').nth(1)
}
