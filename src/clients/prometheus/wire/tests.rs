//! Answers of a real server, and hostile ones.

#![allow(clippy::float_cmp, reason = "what is read is compared with what was written")]

use proptest::prelude::*;

use super::*;

const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/monitoring/recorded");

fn recorded(name: &str) -> String {
    std::fs::read_to_string(format!("{RECORDED}/{name}")).unwrap()
}

#[test]
fn values_of_all_kinds() {
    let vector = r#"{"status":"success","data":{"resultType":"vector","result":[
        {"metric":{"__name__":"up","job":"node"},"value":[1700000000.123,"1"]},
        {"metric":{"job":"nan"},"value":[1700000000,"NaN"]},
        {"metric":{"job":"inf"},"value":[1700000000,"+Inf"]},
        {"metric":{"job":"histogram"},"histogram":[1700000000,{"count":"1"}]},
        {"metric":7,"value":[1,"1"]},
        {"metric":{},"value":["x","1"]}
        ]},"warnings":["a part is missing"],"infos":["look here"]}"#;
    let told = read(vector, query).unwrap();
    assert_eq!(told.warnings, ["a part is missing".into(), "look here".into()]);
    let QueryValue::Vector(values) = told.data else {
        panic!()
    };
    assert_eq!(values.len(), 3);
    assert_eq!(values[0].0.to_string(), r#"up{job="node"}"#);
    assert_eq!(values[0].1.at.as_millisecond(), 1_700_000_000_123);
    assert!(values[1].1.value.is_nan() && values[2].1.value.is_infinite());

    let matrix = r#"{"data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"1e3"],[2,"-Inf"],[3,"?"]]}]}}"#;
    let QueryValue::Matrix(series) = read(matrix, query).unwrap().data else {
        panic!()
    };
    assert_eq!(series[0].samples.len(), 2);
    let scalar = read(r#"{"data":{"resultType":"scalar","result":[1,"2"]}}"#, query).unwrap();
    assert!(matches!(scalar.data, QueryValue::Scalar(Sample { value, .. }) if value == 2.0));
    let text = read(r#"{"data":{"resultType":"string","result":[1,"hi"]}}"#, query).unwrap();
    assert_eq!(text.data, QueryValue::Text("hi".into()));
}

#[test]
fn what_a_real_server_told() {
    let found = read(&recorded("prometheus-query.json"), query).unwrap().data;
    assert!(
        matches!(&found, QueryValue::Vector(values) if values.iter().any(|(labels, sample)|
        labels.get("job") == Some("node") && sample.value == 1.0))
    );
    let found = read(&recorded("prometheus-query-range.json"), query)
        .unwrap()
        .data;
    assert!(matches!(&found, QueryValue::Matrix(series) if series[0].samples.len() > 1));
    let rules = read(&recorded("prometheus-rules.json"), rules).unwrap().data;
    let rule = rules.iter().find(|rule| rule.name == "Always".into()).unwrap();
    assert!(rule.alerting && rule.health == RuleHealth::Good && !rule.alerts.is_empty());
    assert_eq!(rule.hold, Some(SignedDuration::ZERO));
    let alerts = read(&recorded("prometheus-alerts.json"), alerts).unwrap().data;
    assert_eq!(alerts[0].name(), Some("Always"));
    assert!(alerts[0].since.is_some() && alerts[0].value.is_some());
    let targets = read(&recorded("prometheus-targets.json"), targets).unwrap().data;
    assert!(targets.iter().any(|target| target.up == Some(true)));
    assert!(
        targets
            .iter()
            .any(|target| target.up == Some(false) && target.error.is_some())
    );
    let info = read(&recorded("prometheus-buildinfo.json"), build_info)
        .unwrap()
        .data;
    assert!(info.version.is_some());
}

#[test]
fn a_wrong_query_has_the_place_of_its_mistake() {
    let body = recorded("prometheus-bad-query.json");
    let failure = error(&body).unwrap();
    assert!(failure.is_about_the_query());
    let MonitorError::Query { message, place } = failure.into_query() else {
        panic!()
    };
    assert!(message.contains("parse error"), "{message}");
    assert_eq!(place, Some((1, 4)), "{message}");
    assert_eq!(super::place("too much"), None);
    assert_eq!(super::place("1:x: parse error"), None);
}

#[test]
fn what_is_absent_or_null_is_empty() {
    assert_eq!(read(r#"{"data":{"groups":null}}"#, rules).unwrap().data, []);
    assert_eq!(read(r#"{"data":{}}"#, alerts).unwrap().data, []);
    assert_eq!(
        read(r#"{"data":null,"warnings":"x"}"#, texts).unwrap().data,
        Vec::<Box<str>>::new()
    );
    assert!(read(r#"{"data":{"resultType":"cube","result":[]}}"#, query).is_err());
    assert!(read("<html>", query).is_err());
}

proptest! {
    #[test]
    fn no_answer_breaks_the_reader(body in "\\PC{0,200}", kind in 0..3_usize, inner in "\\PC{0,100}") {
        let _ = read(&body, query);
        let kind = ["vector", "matrix", "scalar"][kind];
        let body = format!(r#"{{"data":{{"resultType":"{kind}","result":{inner}}}}}"#);
        let _ = read(&body, query);
        let _ = read(&body, rules);
        let _ = error(&body);
    }

    #[test]
    fn no_number_breaks_the_reader(seconds in prop::num::f64::ANY, text in "[-+0-9a-zA-Z.]{0,12}") {
        if let Some(at) = moment(seconds) {
            prop_assert!((at.as_millisecond() as f64 / 1000.0 - seconds).abs() < 0.01);
        }
        let _ = number(&text);
    }
}
