//! A panic gives the terminal back before it speaks. There is no way to make the real program panic, and none shall
//! be built in: the guard itself is tried, in a process of its own with a terminal of its own.

use pvedeck::runtime::terminal::Guard;

use crate::support::terminal::Launch;

/// Run by the test below. The guard is leaked, so that only the panic itself can give the terminal back.
#[test]
#[ignore = "needs a terminal: another test starts it in one"]
fn panics_with_the_terminal_taken() {
    let Ok(guard) = Guard::take(true) else { return };
    std::mem::forget(guard);
    let _ = std::thread::spawn(|| panic!("the sky has fallen")).join();
}

#[test]
fn a_panic_on_any_thread_gives_the_terminal_back_and_can_be_read() {
    let mut terminal = Launch::program(&std::env::current_exe().unwrap())
        .arg("guard::panics_with_the_terminal_taken")
        .arg("--exact")
        .arg("--ignored")
        .arg("--nocapture")
        .start();
    assert_eq!(
        terminal.wait_exit().exit_code(),
        101,
        "half a console does not go on"
    );
    let received = String::from_utf8_lossy(terminal.received()).into_owned();
    assert!(
        received.contains("\u{1b}[?1049h"),
        "the terminal was taken: {received:?}"
    );
    terminal.assert_restored();
    assert!(
        terminal.text().contains("the sky has fallen"),
        "{}",
        terminal.text()
    );
}
