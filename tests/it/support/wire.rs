//! HTTP as bytes on a socket: what no well-behaved client would send, and cookies that one would hold back.
//!
//! The cookies of sessions are `__Host-` and `Secure`, which an ordinary cookie jar keeps from plain http; [`Browser`] sends them
//! as browsers do to this computer. Everything blocks: servers under test have threads of their own.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longer than any answer takes; a test that hangs fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    /// The value of a header, the first when there are several.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self
            .headers
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.as_str())
    }

    /// All values of a header.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn page(&self) -> scraper::Html {
        scraper::Html::parse_document(&self.text())
    }

    /// The cookies set, by name: value and attributes.
    pub fn cookies(&self) -> BTreeMap<String, String> {
        self.all("set-cookie")
            .filter_map(|cookie| cookie.split_once('='))
            .map(|(name, rest)| (name.to_owned(), rest.to_owned()))
            .collect()
    }

    /// Where a redirect leads.
    #[track_caller]
    pub fn location(&self) -> &str {
        self.header("location")
            .unwrap_or_else(|| panic!("no Location in the answer {}: {}", self.status, self.text()))
    }
}

/// A request to be written out.
#[derive(Clone, Debug)]
pub struct Request {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

/// A request; `target` goes out as it is.
pub fn request(method: &str, target: &str) -> Request {
    Request {
        method: method.to_owned(),
        target: target.to_owned(),
        headers: Vec::new(),
        body: None,
    }
}

pub fn get(target: &str) -> Request {
    request("GET", target)
}

pub fn post(target: &str) -> Request {
    request("POST", target)
}

impl Request {
    pub fn method(&self) -> &str {
        &self.method
    }

    pub fn target(&self) -> &str {
        &self.target
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("Authorization", format!("Bearer {token}"))
    }

    #[must_use]
    pub fn body(mut self, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self.header("Content-Type", kind)
    }

    #[must_use]
    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.body("application/x-www-form-urlencoded", body)
    }

    #[must_use]
    pub fn json(self, value: &serde_json::Value) -> Self {
        self.body("application/json", value.to_string())
    }

    /// A multipart form: text fields first, then one file in the field `file`.
    #[must_use]
    pub fn upload(self, fields: &[(&str, &str)], name: &str, bytes: &[u8]) -> Self {
        let (kind, body) = multipart(fields, name, bytes);
        self.body(&kind, body)
    }

    /// The bytes that go out.
    pub fn bytes(&self, address: SocketAddr) -> Vec<u8> {
        let has = |name: &str| self.headers.iter().any(|(key, _)| key.eq_ignore_ascii_case(name));
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        if !has("host") {
            head += &format!("Host: {address}\r\n");
        }
        if !has("connection") {
            head += "Connection: close\r\n";
        }
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        if let Some(body) = &self.body {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        head += "\r\n";
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(self.body.as_deref().unwrap_or_default());
        bytes
    }

    /// Sends it and reads the answer.
    #[track_caller]
    pub fn send(&self, address: SocketAddr) -> Reply {
        match self.try_send(address) {
            Ok(reply) => reply,
            Err(error) => panic!("{} {}: {error}", self.method, self.target),
        }
    }

    /// Sends it and reads the answer, if there is one.
    pub fn try_send(&self, address: SocketAddr) -> io::Result<Reply> {
        exchange(address, &self.bytes(address), self.method == "HEAD")
    }
}

/// Content-Type and body of a multipart form.
pub fn multipart(fields: &[(&str, &str)], name: &str, bytes: &[u8]) -> (String, Vec<u8>) {
    const BOUNDARY: &str = "boundary-of-the-test";
    let mut body = Vec::new();
    for (field, value) in fields {
        body.extend_from_slice(
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n")
                .as_bytes(),
        );
    }
    body.extend_from_slice(
        format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        )
        .as_bytes(),
    );
    body.extend_from_slice(bytes);
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={BOUNDARY}"), body)
}

/// A connection that gives up waiting in the end.
pub fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Writes these bytes and reads one answer.
pub fn exchange(address: SocketAddr, bytes: &[u8], head_only: bool) -> io::Result<Reply> {
    let mut stream = connect(address)?;
    // A server that refuses a long body answers before it has read all of it, and may close then.
    let written = stream.write_all(bytes);
    match read_reply(&mut stream, head_only) {
        Ok(reply) => Ok(reply),
        Err(error) => Err(written.err().unwrap_or(error)),
    }
}

/// Reads one answer.
pub fn read_reply(stream: &mut TcpStream, head_only: bool) -> io::Result<Reply> {
    let mut read = Vec::new();
    let (status, headers) = loop {
        if let Some(head) = parse_head(&mut read)? {
            break head;
        }
        fill(stream, &mut read)?;
    };
    let value = |name: &str| {
        headers
            .iter()
            .find(|(key, _): &&(String, String)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.clone())
    };
    let body = if head_only || status == 204 || status == 304 {
        Vec::new()
    } else if value("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        read_chunked(stream, read)?
    } else if let Some(length) = value("content-length").and_then(|length| length.parse::<usize>().ok()) {
        while read.len() < length {
            fill(stream, &mut read)?;
        }
        read.truncate(length);
        read
    } else {
        stream.read_to_end(&mut read)?;
        read
    };
    Ok(Reply {
        status,
        headers,
        body,
    })
}

type Head = (u16, Vec<(String, String)>);

fn parse_head(read: &mut Vec<u8>) -> io::Result<Option<Head>> {
    let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = String::from_utf8_lossy(&read[..end]).into_owned();
    read.drain(..end + 4);
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1)?.parse().ok())
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, format!("no status line: {head}")))?;
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    if status == 100 {
        return parse_head(read);
    }
    Ok(Some((status, headers)))
}

fn read_chunked(stream: &mut TcpStream, mut read: Vec<u8>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line_end = loop {
            match read.windows(2).position(|window| window == b"\r\n") {
                Some(end) => break end,
                None => fill(stream, &mut read)?,
            }
        };
        let size = std::str::from_utf8(&read[..line_end])
            .ok()
            .and_then(|size| usize::from_str_radix(size.trim(), 16).ok())
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not a chunk's size"))?;
        read.drain(..line_end + 2);
        while read.len() < size + 2 {
            fill(stream, &mut read)?;
        }
        if size == 0 {
            return Ok(body);
        }
        body.extend(read.drain(..size));
        read.drain(..2);
    }
}

fn fill(stream: &mut TcpStream, read: &mut Vec<u8>) -> io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    match stream.read(&mut buffer)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        count => {
            read.extend_from_slice(&buffer[..count]);
            Ok(())
        }
    }
}

/// Someone at a browser: cookies are kept and sent, redirects are not followed.
#[derive(Clone, Debug)]
pub struct Browser {
    pub address: SocketAddr,
    pub cookies: BTreeMap<String, String>,
    /// Sent with every request.
    pub headers: Vec<(String, String)>,
}

impl Browser {
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            cookies: BTreeMap::new(),
            headers: Vec::new(),
        }
    }

    /// The same browser with one more header on every request.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Sends a request with this browser's cookies and keeps those that are set.
    #[track_caller]
    pub fn send(&mut self, request: Request) -> Reply {
        let reply = self.dressed(request).send(self.address);
        self.keep(&reply);
        reply
    }

    /// The request as this browser would send it.
    pub fn dressed(&self, mut request: Request) -> Request {
        request.headers.extend(self.headers.iter().cloned());
        if self.cookies.is_empty() {
            return request;
        }
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        request.header("Cookie", cookies.join("; "))
    }

    fn keep(&mut self, reply: &Reply) {
        for (name, cookie) in reply.cookies() {
            let value = cookie.split(';').next().unwrap_or_default();
            if cookie.contains("Max-Age=0") || value.is_empty() {
                self.cookies.remove(&name);
            } else {
                self.cookies.insert(name, value.to_owned());
            }
        }
    }

    #[track_caller]
    pub fn get(&mut self, target: &str) -> Reply {
        self.send(get(target))
    }

    /// Opens a page for its form token, and posts the fields with it.
    #[track_caller]
    pub fn submit(&mut self, page: &str, action: &str, fields: &[(&str, &str)]) -> Reply {
        let token = self.form_token(page);
        self.post(action, &token, fields)
    }

    #[track_caller]
    pub fn post(&mut self, action: &str, token: &str, fields: &[(&str, &str)]) -> Reply {
        let mut all = vec![("csrf_token", token)];
        all.extend_from_slice(fields);
        self.send(post(action).form(&all))
    }

    /// The form token of a page.
    #[track_caller]
    pub fn form_token(&mut self, page: &str) -> String {
        let reply = self.get(page);
        csrf_token(&reply)
            .unwrap_or_else(|| panic!("{page}: no form in the answer {}: {}", reply.status, reply.text()))
    }

    #[track_caller]
    pub fn sign_in(&mut self, email: &str, password: &str) -> Reply {
        self.submit(
            "/sign-in",
            "/sign-in",
            &[("email", email), ("password", password)],
        )
    }
}

/// The token in a page's forms.
pub fn csrf_token(reply: &Reply) -> Option<String> {
    let field = scraper::Selector::parse("input[name=csrf_token]").expect("a selector");
    let page = reply.page();
    let token = page.select(&field).next()?.attr("value")?;
    Some(token.to_owned())
}
