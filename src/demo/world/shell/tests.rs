//! Scripts as an administrator, or pvedeck, gives them to the agent.

use super::*;

fn sh(inside: &mut Inside, text: &str) -> (i64, String) {
    let words = ["/bin/sh", "-c", text].map(str::to_owned);
    let done = run(inside, &words, b"", "web01").expect("a shell");
    (
        done.code,
        String::from_utf8_lossy(&done.out).into_owned() + &String::from_utf8_lossy(&done.err),
    )
}

#[test]
fn a_key_is_added_and_taken_away_with_a_script() {
    let mut inside = Inside::default();
    inside.folders.insert("/root".to_owned());
    let add = "mkdir -p /root/.ssh && chmod 700 /root/.ssh && echo 'ssh-ed25519 AAAA a@b' >> /root/.ssh/keys";
    assert_eq!(sh(&mut inside, add), (0, String::new()));
    assert_eq!(
        sh(&mut inside, "cat /root/.ssh/keys"),
        (0, "ssh-ed25519 AAAA a@b\n".to_owned())
    );
    let drop = "grep -v AAAA /root/.ssh/keys > /root/.ssh/new; mv /root/.ssh/new /root/.ssh/keys; cat /root/.ssh/keys";
    assert_eq!(sh(&mut inside, drop), (0, String::new()));
    assert_eq!(
        sh(&mut inside, "[ -f /nope ] || echo no 2>/dev/null"),
        (0, "no\n".to_owned())
    );
    assert_eq!(
        sh(&mut inside, "nope"),
        (127, "sh: 1: nope: not found\n".to_owned())
    );
    assert_eq!(
        sh(&mut inside, "echo a | tee /root/x | cat"),
        (0, "a\n".to_owned())
    );
}

#[test]
fn keys_come_and_go_as_a_user() {
    let mut inside = Inside::default();
    inside.users.insert("admin".to_owned(), "/home/admin".to_owned());
    inside.folders.insert("/home/admin".to_owned());
    let mut as_admin = |text: &str| {
        let words = ["su", "-s", "/bin/sh", "admin", "-c", text].map(str::to_owned);
        let done = run(&mut inside, &words, b"", "web01").expect("su");
        (done.code, String::from_utf8_lossy(&done.out).into_owned())
    };
    let keys = "/home/admin/.ssh/keys";
    let add = format!(
        "umask 077; mkdir -p /home/admin/.ssh || exit 3; grep -v '^ *#' {keys} 2>/dev/null | grep -qF 'A B' \
         && echo there && exit 0; echo '  # A B' >> {keys} || exit 4; echo 'x A B c' >> {keys} || exit 4; echo added"
    );
    assert_eq!(as_admin(&add), (0, "added\n".to_owned()));
    assert_eq!(as_admin(&add), (0, "there\n".to_owned()));
    let drop = format!("sed '\\|x A B|d' {keys} > {keys}.new || exit 4; mv {keys}.new {keys}; cat {keys}");
    assert_eq!(as_admin(&drop), (0, "  # A B\n".to_owned()));
    assert_eq!(as_admin("exit 7; echo never"), (7, String::new()));
    let words = ["su", "nobody-here", "-c", "true"].map(str::to_owned);
    assert_eq!(run(&mut inside, &words, b"", "web01").expect("su").code, 1);
}
