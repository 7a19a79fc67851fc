//! Connections: TLS, HTTP/1.1, and the habits of proxmox-backup-proxy: answers are deflated, errors are a line of text.

use std::{
    io::{self, Write as _},
    sync::Arc,
};

use flate2::{Compression, write::ZlibEncoder};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{self, HeaderMap, HeaderValue},
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::{
    Shared,
    answer::{Outcome, Refusal},
    api,
    auth::Credentials,
    params::{Params, decode},
};

/// Bodies of requests are refused above this.
const LONGEST_BODY: usize = 512 * 1024;

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
                () = connection(stream, acceptor, shared) => {}
            }
        });
    }
}

async fn connection(stream: TcpStream, acceptor: TlsAcceptor, shared: Arc<Shared>) {
    // Small answers must not wait for a second packet; without this it is only slower.
    let _ = stream.set_nodelay(true);
    let Ok(stream) = acceptor.accept(stream).await else {
        return;
    };
    let service = service_fn(move |request: Request<Incoming>| {
        let shared = Arc::clone(&shared);
        async move { respond(request, &shared).await }
    });
    let serving = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    // A connection that breaks is the client's affair.
    let _ = serving.await;
}

async fn respond(request: Request<Incoming>, shared: &Shared) -> io::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let verb = head.method.as_str().to_owned();
    let path = head.uri.path().strip_prefix("/api2/json").map(str::to_owned);
    shared.count(format!("{verb} {}", path.as_deref().unwrap_or(head.uri.path())));
    if shared.is_down() {
        return Err(io::ErrorKind::ConnectionReset.into());
    }
    let body = Limited::new(body, LONGEST_BODY).collect().await;
    let outcome = match (path, body) {
        (None, _) => Err(Refusal::new(
            404,
            format!("File not found: '{}'", head.uri.path()),
        )),
        (_, Err(_)) => Err(Refusal::bad("request body too large")),
        (Some(path), Ok(body)) => ask(
            shared,
            &verb,
            &path,
            head.uri.query(),
            &head.headers,
            &body.to_bytes(),
        ),
    };
    if matches!(&outcome, Err(refusal) if refusal.status == 401) && !shared.refusal_delay.is_zero() {
        tokio::time::sleep(shared.refusal_delay).await;
    }
    Ok(written(outcome, &head.headers))
}

fn ask(
    shared: &Shared,
    verb: &str,
    path: &str,
    query: Option<&str>,
    headers: &HeaderMap,
    body: &[u8],
) -> Outcome {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let mut params = Params::default();
    params.add_form(query.unwrap_or_default());
    if !body.is_empty() {
        let body = String::from_utf8_lossy(body);
        if text("content-type").is_some_and(|kind| kind.starts_with("application/json")) {
            params.add_json(&body)?;
        } else {
            params.add_form(&body);
        }
    }
    let cookie = text("cookie").and_then(|cookies| {
        let mut all = cookies.split(';').map(str::trim);
        all.find_map(|one| one.strip_prefix("PBSAuthCookie="))
    });
    let credentials = Credentials {
        authorization: text("authorization").map(str::to_owned),
        cookie: cookie.map(decode),
        csrf: text("csrfpreventiontoken").map(str::to_owned),
    };
    api::answer(
        &mut shared.world(),
        &shared.secrets,
        verb,
        path,
        params,
        &credentials,
    )
}

fn written(outcome: Outcome, asked: &HeaderMap) -> Response<Full<Bytes>> {
    let mut headers = HeaderMap::new();
    let (status, mut bytes) = match outcome {
        Ok(data) => {
            let mut body = json!({"data": data.value});
            if let Some(total) = data.total {
                body["total"] = json!(total);
                body["success"] = json!(1);
            }
            let kind = HeaderValue::from_static("application/json;charset=UTF-8");
            headers.insert(header::CONTENT_TYPE, kind);
            (200, body.to_string().into_bytes())
        }
        Err(refusal) => (refusal.status, refusal.text.into_bytes()),
    };
    let deflate = asked
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("deflate"));
    if deflate && status == 200 {
        let mut encoder = ZlibEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::fast());
        if let Ok(packed) = encoder.write_all(&bytes).and_then(|()| encoder.finish()) {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("deflate"));
            bytes = packed;
        }
    }
    let date = jiff::Timestamp::now()
        .strftime("%a, %d %b %Y %H:%M:%S GMT")
        .to_string();
    if let Ok(date) = HeaderValue::from_str(&date) {
        headers.insert(header::DATE, date);
    }
    let mut response = Response::new(Full::new(bytes.into()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = headers;
    response
}
