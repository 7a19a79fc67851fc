//! The commands that a plan is printed as do exactly what the plan does, whatever its values are.

use proptest::prelude::*;

use crate::{
    domain::{Call, Method},
    plan::{Danger, Plan, Proof, Step, print},
};

fn plan(calls: &[Call]) -> Plan {
    let steps = calls.iter().map(|call| Step {
        cluster: super::cluster(),
        subject: super::target(100),
        title: "100 web-100".to_owned(),
        call: call.clone(),
        proof: Proof::Nothing,
        needs: Vec::new(),
    });
    Plan {
        deed: "guest.options".into(),
        title: "Change options".to_owned(),
        danger: Danger::Confirm,
        word: String::new(),
        steps: steps.collect(),
        risks: Vec::new(),
        way_back: None,
    }
}

/// What a POSIX shell makes of a text: commands, each with its words. Variables stay as they are written.
fn commands(text: &str) -> Vec<Vec<String>> {
    let (mut all, mut words, mut word) = (Vec::new(), Vec::new(), None::<String>);
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '\'' => word
                .get_or_insert_default()
                .extend(rest.by_ref().take_while(|c| *c != '\'')),
            '"' => word
                .get_or_insert_default()
                .extend(rest.by_ref().take_while(|c| *c != '"')),
            '\\' => word.get_or_insert_default().extend(rest.next()),
            ' ' => words.extend(word.take()),
            '\n' => {
                words.extend(word.take());
                all.push(std::mem::take(&mut words));
            }
            // Outside of quotes a shell would do something with these.
            c if "&|;<>()$`*?[#~!{}\t\r".contains(c) => panic!("{c:?} is not quoted in {text}"),
            c => word.get_or_insert_default().push(c),
        }
    }
    assert!(
        word.is_none() && words.is_empty(),
        "the last line is not ended: {text}"
    );
    all
}

/// The call that a line of pvesh makes.
fn of_pvesh(words: &[String]) -> Call {
    let method = match words[1].as_str() {
        "create" => Method::Post,
        "set" => Method::Put,
        "delete" => Method::Delete,
        other => panic!("{other}"),
    };
    let segments: Vec<&str> = words[2].split('/').skip(1).collect();
    words[3..]
        .chunks(2)
        .fold(Call::new(method, &segments), |call, pair| {
            call.with(pair[0].strip_prefix("--").unwrap(), &pair[1])
        })
}

/// The call that a line of curl makes.
fn of_curl(words: &[String]) -> Call {
    let at = words.iter().position(|word| word == "--request").unwrap();
    let method = match words[at + 1].as_str() {
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        other => panic!("{other}"),
    };
    let target = words[at + 2].strip_prefix("$PVEDECK_URL/api2/json/").unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let segments: Vec<String> = path.split('/').map(decoded).collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let mut call = Call::new(method, &segments);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap();
        call = call.with(&decoded(name), &decoded(value));
    }
    for pair in words[at + 3..].chunks(2) {
        assert_eq!(pair[0], "--data-urlencode");
        // curl takes what stands before the first `=` as the name and encodes the rest.
        let (name, value) = pair[1].split_once('=').unwrap();
        call = call.with(name, value);
    }
    call
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let hex: Vec<u8> = rest.by_ref().take(2).collect();
            bytes.push(u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn any_call() -> impl Strategy<Value = Call> {
    let method = prop_oneof![Just(Method::Post), Just(Method::Put), Just(Method::Delete)];
    // Whatever a name of an object may hold but a slash; no shell takes a NUL.
    let segments = prop::collection::vec("[^/\0]{1,12}", 1..5);
    let params = prop::collection::vec(("[a-z][a-z0-9-]{0,9}x", "[^\0]{0,24}"), 0..5);
    (method, segments, params).prop_map(|(method, segments, params)| {
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        params
            .iter()
            .fold(Call::new(method, &segments), |call, (name, value)| {
                call.with(name, value)
            })
    })
}

proptest! {
    #[test]
    fn printed_commands_are_the_calls_of_the_plan(calls in prop::collection::vec(any_call(), 1..4)) {
        let plan = plan(&calls);
        let pvesh: Vec<Call> = commands(&print::pvesh(&plan)).iter().map(|words| of_pvesh(words)).collect();
        prop_assert_eq!(&pvesh, &calls);
        let curl: Vec<Call> = commands(&print::curl(&plan)).iter().map(|words| of_curl(words)).collect();
        prop_assert_eq!(&curl, &calls);
        // Nothing of a script runs before somebody takes the marks away.
        for line in print::script(&plan).lines() {
            prop_assert!(line.is_empty() || line.starts_with('#'), "{}", line);
        }
    }
}

#[test]
fn a_secret_is_read_from_a_file() {
    let call = Call::new(Method::Put, &["config"])
        .with("ciuser", "a")
        .with("cipassword", "s3cr3t");
    let plan = plan(&[call]);
    assert_eq!(
        print::pvesh(&plan),
        "pvesh set /config --ciuser a --cipassword \"$(cat \"$PVEDECK_CIPASSWORD_FILE\")\"\n"
    );
    assert!(
        print::curl(&plan).ends_with(
            "--data-urlencode ciuser=a --data-urlencode cipassword@\"$PVEDECK_CIPASSWORD_FILE\"\n"
        )
    );
}
