//! A real alert: it fires, is silenced by our client, and fires again when the silence ends.

use jiff::{SignedDuration, Timestamp};
use pvedeck::{
    clients::alertmanager::{Client, MonitorError, NotChanged, Silencer},
    domain::alert::{Alert, AlertState, Matcher, Matchers, SilenceCall, SilenceState},
};
use tempfile::TempDir;

use crate::{
    prometheus::settings,
    servers::{alertmanager, free_port, prometheus, until},
};

const RULES: &str = "groups: [{name: g, rules: [{alert: TargetDown, expr: 'up == 0', labels: {severity: critical}, \
                     annotations: {summary: '{{ $labels.job }} is down'}}]}]\n";

async fn alert_that_is(client: &Client, state: AlertState) -> Alert {
    until("the alert in that state", async || {
        let alerts = client.alerts().await.ok()?;
        alerts
            .into_iter()
            .find(|alert| alert.name() == Some("TargetDown") && alert.state == state)
    })
    .await
}

#[tokio::test]
async fn an_alert_fires_is_silenced_and_fires_again() {
    let folder = TempDir::new().unwrap();
    let Some(manager) = alertmanager(&folder) else {
        return;
    };
    let jobs = [("dead", free_port())];
    let Some(_prometheus) = prometheus(&folder, &jobs, Some(manager.port), RULES, &[]) else {
        return;
    };
    let silencer = Silencer::new(&settings(&manager.url())).unwrap();
    let client = silencer.client();

    let alert = alert_that_is(client, AlertState::Firing).await;
    assert_eq!(alert.text(), "dead is down");
    assert!(alert.since.is_some() && alert.receivers == ["shown".into()]);
    assert!(client.status().await.unwrap().version.is_some());
    let groups = until("its group", async || {
        Some(client.groups().await.unwrap()).filter(|groups| !groups.is_empty())
    })
    .await;
    assert_eq!(groups[0].alerts.len(), 1);

    let matchers: Vec<Matcher> = vec![
        "job=dead".parse().unwrap(),
        "severity=~\"crit.*\"".parse().unwrap(),
    ];
    assert!(
        Matchers::new(&matchers).unwrap().match_labels(&alert.labels),
        "the preview"
    );
    let now = Timestamp::now();
    let create = |replaces, ends| SilenceCall::Create {
        replaces,
        matchers: matchers.clone(),
        starts: now,
        ends,
        by: "alice@pam".into(),
        comment: "it is \"dead\"".into(),
    };
    let hour = SignedDuration::from_hours(1);
    let id = silencer.send(&create(None, now + hour)).await.unwrap().unwrap();
    let silenced = alert_that_is(client, AlertState::Suppressed).await;
    assert_eq!(silenced.silenced_by, std::slice::from_ref(&id));

    let longer = silencer
        .send(&create(Some(id), now + hour * 2))
        .await
        .unwrap()
        .unwrap();
    let silences = client.silences().await.unwrap();
    let active: Vec<_> = silences
        .iter()
        .filter(|silence| silence.state == SilenceState::Active)
        .collect();
    assert_eq!(active.len(), 1, "one takes the place of the other");
    assert_eq!((&active[0].id, &active[0].matchers), (&longer, &matchers));
    assert_eq!(
        active[0].ends.map(Timestamp::as_second),
        Some((now + hour * 2).as_second())
    );
    assert_eq!(&*active[0].comment, "it is \"dead\"");

    assert_eq!(
        silencer.send(&SilenceCall::Expire(longer.clone())).await,
        Ok(None)
    );
    alert_that_is(client, AlertState::Firing).await;
    let expired = client.silences().await.unwrap();
    let expired = expired.iter().find(|silence| silence.id == longer).unwrap();
    assert_eq!(expired.state, SilenceState::Expired);

    refusals(&silencer, &create(None, now - hour)).await;
}

async fn refusals(silencer: &Silencer, in_the_past: &SilenceCall) {
    let said = |outcome: Result<_, NotChanged>| match outcome {
        Err(NotChanged::Refused(error)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let error = said(silencer.send(in_the_past).await);
    assert!(
        error.contains("in the past") || error.contains("start time"),
        "{error}"
    );
    let unknown = SilenceCall::Expire("00000000-0000-0000-0000-000000000000".into());
    silencer.send(&unknown).await.unwrap_err();
}

#[tokio::test]
async fn what_was_perhaps_done_is_never_called_refused() {
    // Somebody who takes the request and hangs up.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let silencer = Silencer::new(&settings(&url)).unwrap();
    let rude = tokio::spawn(async move {
        use tokio::io::AsyncReadExt as _;
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 16];
        let _ = stream.read(&mut buffer).await;
        drop(stream);
        drop(listener);
    });
    let outcome = silencer.send(&SilenceCall::Expire("x".into())).await;
    assert!(
        matches!(
            outcome,
            Err(NotChanged::Unknown(MonitorError::Unreachable { .. }))
        ),
        "{outcome:?}"
    );
    rude.await.unwrap();
    let outcome = silencer.send(&SilenceCall::Expire("x".into())).await;
    assert!(matches!(outcome, Err(NotChanged::Refused(_))), "{outcome:?}");
}
