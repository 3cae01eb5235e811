//! A request on its way in and out: read, recorded, and met by the fault that was planned for it.

use super::check::Upload;
use super::rest::{Answer, Call};
use super::world::{Fault, State, World};
use axum::body::Body;
use axum::extract::{FromRequest, Multipart, Request, State as Shared};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::io::Write;
use std::sync::Arc;

pub(super) async fn handle(Shared(world): Shared<Arc<World>>, request: Request) -> Response {
    let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
    let query = request.uri().query().unwrap_or_default().to_owned();
    let headers = request.headers().clone();
    let Some((body, files)) = read(request).await else {
        return Answer(400, json!({"message": "The request body contains invalid JSON.", "code": 50109}))
            .into_response();
    };
    let fault = {
        let mut state = world.lock();
        record(&mut state, &method, &path, &body, &files);
        planned(&mut state, &path)
    };
    match fault {
        // A silent unwinding ends the connection's task, and the connection with it.
        Some(Fault::Drop) => std::panic::resume_unwind(Box::new("connection dropped")),
        Some(Fault::Delay(time)) => tokio::time::sleep(time).await,
        Some(Fault::Garbage) => return (StatusCode::OK, "<html>cloudflare</html>").into_response(),
        Some(Fault::Status(status)) => return Answer(status, json!({"message": "fault", "code": 0})).into_response(),
        Some(Fault::RateLimit { retry_after, scope }) => return rate_limited(retry_after, scope),
        None => {}
    }
    let mut state = world.lock();
    let Some(route) = path.strip_prefix("/api/v10/") else {
        return match state.files.get(&path) {
            Some(bytes) => bytes.clone().into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        };
    };
    let steps: Vec<&str> = route.split('/').collect();
    let call = Call { method: &method, query: &query, body: &body, files: &files, base: &world.base };
    call.route(&mut state, &steps, &headers).unwrap_or_else(|refusal| refusal).into_response()
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = [(header::CONTENT_TYPE, "application/json")];
        let body = if self.1.is_null() { Body::empty() } else { Body::from(self.1.to_string()) };
        (status, headers, body).into_response()
    }
}

fn rate_limited(retry_after: f64, scope: &'static str) -> Response {
    let global = scope == "global";
    let body = json!({"message": "You are being rate limited.", "retry_after": retry_after, "global": global});
    let mut response = Answer(429, body).into_response();
    let wait = retry_after.to_string();
    for (name, value) in [
        ("retry-after", retry_after.ceil().to_string()),
        ("x-ratelimit-limit", "1".into()),
        ("x-ratelimit-remaining", "0".into()),
        ("x-ratelimit-reset-after", wait),
        ("x-ratelimit-bucket", "sandbox".into()),
        ("x-ratelimit-scope", scope.into()),
    ] {
        response.headers_mut().insert(name, value.parse().expect("a header value of digits or letters"));
    }
    if global {
        response.headers_mut().insert("x-ratelimit-global", header::HeaderValue::from_static("true"));
    }
    response
}

/// JSON, or multipart with `payload_json` and files. `None`: neither.
async fn read(request: Request) -> Option<(Value, Vec<Upload>)> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("multipart/form-data") {
        let bytes = axum::body::to_bytes(request.into_body(), usize::MAX).await.ok()?;
        let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).ok()? };
        return Some((body, Vec::new()));
    }
    let mut parts = Multipart::from_request(request, &()).await.ok()?;
    let (mut body, mut files) = (Value::Null, Vec::new());
    while let Some(part) = parts.next_field().await.ok()? {
        let name = part.name().unwrap_or_default().to_owned();
        let filename = part.file_name().map(str::to_owned);
        let bytes = part.bytes().await.ok()?;
        match filename {
            Some(filename) => files.push(Upload { part: name, filename, bytes: bytes.to_vec() }),
            None if name == "payload_json" => body = serde_json::from_slice(&bytes).ok()?,
            None => return None,
        }
    }
    Some((body, files))
}

/// Appends the request to the log as one JSON line.
fn record(state: &mut State, method: &str, path: &str, body: &Value, files: &[Upload]) {
    let mut line = json!({"method": method, "path": path, "body": body});
    if !files.is_empty() {
        line["files"] = files.iter().map(|file| json!([file.part, file.filename, file.bytes.len()])).collect();
    }
    if let ["", "api", "v10", "interactions", id, _, "callback"] = path.split('/').collect::<Vec<_>>()[..]
        && let Some(interaction) = id.parse().ok().and_then(|id: u64| state.interactions.get(&id))
    {
        let latency = state.now().saturating_duration_since(interaction.sent);
        line["latency_ms"] = json!(latency.as_secs_f64() * 1e3);
    }
    if let Some(log) = &mut state.log
        && path.starts_with("/api/")
        && let Err(error) = log.write_all(format!("{line}\n").as_bytes())
    {
        tracing::error!(%error, "cannot write the sandbox's log");
    }
}

fn planned(state: &mut State, path: &str) -> Option<Fault> {
    let planned = state.faults.iter_mut().find(|planned| planned.times > 0 && path.contains(&planned.on))?;
    planned.times -= 1;
    Some(planned.fault.clone())
}
