//! Connections: TLS, HTTP/1.1, the headers and the habits of the real daemon.

use std::{
    io::{self, Write as _},
    sync::Arc,
    time::Duration,
};

use flate2::{Compression, write::GzEncoder};
use http_body_util::{BodyExt as _, Collected, Full, Limited};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    ext::ReasonPhrase,
    header::{self, HeaderMap, HeaderValue},
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::{
    answer::{Data, Failure, Outcome},
    api::{self, Asked},
    auth::Credentials,
    cluster::{Fault, Shared},
    console,
    params::{Params, decode},
};

/// Bodies of requests are refused above this.
const LONGEST_BODY: usize = 512 * 1024;
/// Answers longer than this are compressed when asked.
const COMPRESSED_FROM: usize = 1024;
/// An idle connection is closed after this.
const IDLE: Duration = Duration::from_secs(5);
/// The most requests on one connection.
const REQUESTS: u32 = 100;

/// Opens a listener on loopback.
pub(super) async fn listen(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind(("127.0.0.1", port)).await
}

/// Serves until it is told to stop.
pub(super) async fn serve(
    listener: TcpListener,
    tls: Arc<rustls::ServerConfig>,
    shared: Arc<Shared>,
    stop: CancellationToken,
) {
    let acceptor = TlsAcceptor::from(tls);
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else { continue };
        let (acceptor, shared, stop) = (acceptor.clone(), Arc::clone(&shared), stop.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = connection(stream, acceptor, shared, stop.clone()) => {}
            }
        });
    }
}

async fn connection(
    mut stream: TcpStream,
    acceptor: TlsAcceptor,
    shared: Arc<Shared>,
    stop: CancellationToken,
) {
    if shared.world().is_dark() {
        return;
    }
    // Small answers must not wait for a second packet; without this it is only slower.
    let _ = stream.set_nodelay(true);
    let mut first = [0_u8; 1];
    match stream.peek(&mut first).await {
        // A TLS handshake begins with 0x16; plain HTTP is sent to the right door.
        Ok(1) if first[0] != 0x16 => {
            let place = stream
                .local_addr()
                .map(|address| address.to_string())
                .unwrap_or_default();
            let answer = format!(
                "HTTP/1.1 301 Moved Permanently\r\nLocation: https://{place}/\r\nServer: pve-api-daemon/3.0\r\n\
                 Content-Length: 0\r\nConnection: close\r\n\r\n"
            );
            // Whoever spoke plain HTTP may be gone already.
            let _ = stream.write_all(answer.as_bytes()).await;
            return;
        }
        Ok(1) => {}
        _ => return,
    }
    let Ok(stream) = acceptor.accept(stream).await else {
        return;
    };
    let served = std::sync::atomic::AtomicU32::new(0);
    let served = Arc::new(served);
    let service = service_fn(move |request: Request<Incoming>| {
        let (shared, stop) = (Arc::clone(&shared), stop.clone());
        let last = served.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1 >= REQUESTS;
        async move {
            // A node that is off answers nothing, and what was open breaks.
            if shared.world().is_dark() {
                return Err(io::Error::from(io::ErrorKind::ConnectionReset));
            }
            respond(request, &shared, last, &stop).await
        }
    });
    let serving = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    // A connection that breaks is the client's affair.
    let _ = serving.await;
}

async fn respond(
    mut request: Request<Incoming>,
    shared: &Arc<Shared>,
    last: bool,
    stop: &CancellationToken,
) -> io::Result<Response<Full<Bytes>>> {
    let asked = console::key(request.uri().path(), request.headers());
    let socket = asked.map(|key| (key, hyper::upgrade::on(&mut request)));
    let (head, body) = request.into_parts();
    let uri_path = decode(head.uri.path(), false);
    let verb = head.method.as_str().to_owned();
    let (format, path) = split_format(&uri_path);
    shared.count(format!("{verb} {path}"));
    let faults = shared.faults();
    if faults.contains(&Fault::Frozen) {
        shared.thawed().await;
    }
    let compressed = head
        .headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("gzip"));
    let status = faults.iter().find_map(|fault| match fault {
        Fault::Status(status, reason) => Some(Failure::bare(*status, reason.clone())),
        _ => None,
    });
    let outcome = match status {
        Some(failure) => Err(failure),
        None => match whole(body).await {
            Err(failure) => Err(failure),
            Ok(bytes) => ask(
                &verb,
                format,
                &path,
                &head.headers,
                head.uri.query(),
                &bytes,
                shared,
            ),
        },
    };
    if matches!(&outcome, Err(failure) if failure.status == 401) && !shared.refusal_delay.is_zero() {
        tokio::time::sleep(shared.refusal_delay).await;
    }
    if let (Some((key, connection)), Ok(data)) = (socket, &outcome)
        && let Some(port) = console::port(data)
    {
        let protocol = head.headers.get(header::SEC_WEBSOCKET_PROTOCOL);
        let claimed = shared.world().claim_console(port);
        // Where nothing listens, the real daemon ends the connection without a word.
        let claimed = claimed.ok_or(io::ErrorKind::ConnectionRefused)?;
        console::start(connection, claimed, Arc::clone(shared), stop.clone());
        return Ok(console::switching(&key, protocol));
    }
    let truncated = faults.contains(&Fault::Truncated);
    Ok(write(outcome, format, compressed && !truncated, truncated, last))
}

/// The whole body of a request, no longer than the server takes.
async fn whole(body: Incoming) -> Result<Bytes, Failure> {
    let collected = Limited::new(body, LONGEST_BODY).collect().await;
    collected
        .map(Collected::to_bytes)
        .map_err(|_| Failure::plain(501, "for data too large"))
}

/// `/api2/json/version` → (`json`, `/version`).
fn split_format(path: &str) -> (&'static str, String) {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    if parts.next() != Some("api2") {
        return ("", path.to_owned());
    }
    let format = match parts.next() {
        Some("json") => "json",
        Some("extjs") => "extjs",
        Some(_) => "other",
        None => "",
    };
    (format, format!("/{}", parts.collect::<Vec<_>>().join("/")))
}

fn ask(
    verb: &str,
    format: &str,
    path: &str,
    headers: &HeaderMap,
    query: Option<&str>,
    body: &[u8],
    shared: &Shared,
) -> Outcome {
    let verb = match verb {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        other => return Err(Failure::bare(501, format!("method '{other}' not available"))),
    };
    match format {
        "json" | "extjs" => {}
        "other" => return Err(Failure::plain(501, format!("no formatter for uri {path}"))),
        _ => return Err(Failure::plain(500, format!("no such file '{path}'"))),
    }
    if !body.is_empty() && matches!(verb, "GET" | "DELETE") {
        return Err(Failure::plain(
            501,
            format!("Unexpected content for method '{verb}'"),
        ));
    }
    let mut params = Params::default();
    params.add_form(query.unwrap_or_default());
    add_body(&mut params, headers, body)?;
    let asked = Asked {
        verb,
        path,
        params,
        credentials: credentials(headers),
    };
    api::answer(&mut shared.world(), asked)
}

fn add_body(params: &mut Params, headers: &HeaderMap, body: &[u8]) -> Result<(), Failure> {
    if body.is_empty() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(body);
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("application/x-www-form-urlencoded");
    match kind.split(';').next().unwrap_or_default().trim() {
        "application/x-www-form-urlencoded" => params.add_form(&text),
        "application/json" => params.add_json(&text)?,
        other => {
            return Err(Failure::plain(
                506,
                format!("upload 'Content-Type '{other}' not implemented"),
            ));
        }
    }
    Ok(())
}

fn credentials(headers: &HeaderMap) -> Credentials {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let cookie = text("cookie").and_then(|cookies| {
        cookies
            .split(';')
            .find_map(|cookie| cookie.trim().strip_prefix("PVEAuthCookie="))
            .map(|value| decode(value, false))
    });
    Credentials {
        cookie,
        authorization: text("authorization").map(str::to_owned),
        csrf: text("csrfpreventiontoken").map(str::to_owned),
    }
}

fn write(
    outcome: Outcome,
    format: &str,
    compressed: bool,
    truncated: bool,
    last: bool,
) -> Response<Full<Bytes>> {
    let extjs = format == "extjs";
    let (status, reason, mut text, kind) = match outcome {
        Ok(data) => (200, None, success(data, extjs), "application/json;charset=UTF-8"),
        Err(failure) if extjs && failure.status != 401 => (
            200,
            None,
            failure.extjs().to_string(),
            "application/json;charset=UTF-8",
        ),
        Err(failure) => {
            let (body, kind) = failure.body();
            (failure.status, Some(failure.reason), body, kind)
        }
    };
    if truncated {
        text = text.chars().take(text.chars().count() / 2).collect();
    }
    let mut bytes = text.into_bytes();
    let mut headers = HeaderMap::new();
    let now = jiff::Timestamp::now()
        .strftime("%a, %d %b %Y %H:%M:%S GMT")
        .to_string();
    let mut set = |name: header::HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set(header::CACHE_CONTROL, "max-age=0");
    set(header::PRAGMA, "no-cache");
    set(header::SERVER, "pve-api-daemon/3.0");
    set(header::DATE, &now);
    set(header::EXPIRES, &now);
    if !kind.is_empty() {
        set(header::CONTENT_TYPE, kind);
    }
    let close = last || status >= 400;
    set(header::CONNECTION, if close { "close" } else { "Keep-Alive" });
    if compressed && bytes.len() > COMPRESSED_FROM {
        let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 8), Compression::fast());
        if let Ok(packed) = encoder.write_all(&bytes).and_then(|()| encoder.finish()) {
            set(header::CONTENT_ENCODING, "gzip");
            bytes = packed;
        }
    }
    let mut response = Response::new(Full::new(bytes.into()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = headers;
    if let Some(reason) = reason {
        // A reason phrase is one line; what is in it otherwise is the server's own.
        let line = reason.replace(['\r', '\n'], " ");
        if let Ok(phrase) = ReasonPhrase::try_from(line.into_bytes()) {
            response.extensions_mut().insert(phrase);
        }
    }
    response
}

fn success(data: Data, extjs: bool) -> String {
    let more = if extjs { r#","success":1"# } else { "" };
    match data {
        Data::Value(value) => format!(r#"{{"data":{value}{more}}}"#),
        Data::Raw(text) => format!(r#"{{"data":{text}{more}}}"#),
        Data::Page(rows, total) => {
            let mut body = json!({"data": rows, "total": total});
            if extjs {
                body["success"] = json!(1);
            }
            body.to_string()
        }
    }
}
