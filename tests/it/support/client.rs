//! A browser or a program: keeps cookies, follows no redirect, fills in forms.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use reqwest::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, COOKIE, SET_COOKIE};
use reqwest::{Body, Method, RequestBuilder};
use serde_json::Value;

use super::answer::Answer;
use super::form::Form;

/// Sends requests, each on a connection of its own: an application that stops waits for nobody's idle connection.
#[derive(Clone)]
pub struct Doer(reqwest::Client);

impl Doer {
    pub fn new() -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the usual versions of TLS")
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .build();
        Doer(client.expect("an HTTP client"))
    }

    pub async fn get(&self, url: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.0.get(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        send(request).await.expect("an answer")
    }

    /// Sends JSON, unless there is none, and reads JSON whatever the status.
    pub async fn json(&self, method: &str, url: &str, body: &Value) -> Value {
        let method = method.parse().expect("a method");
        let mut request = self.0.request(method, url);
        if !body.is_null() {
            request = request
                .body(body.to_string())
                .header(CONTENT_TYPE, "application/json");
        }
        send(request).await.expect("an answer").json()
    }
}

/// Somebody who asks. Clones share the cookies.
#[derive(Clone)]
pub struct Client {
    http: Doer,
    base: String,
    token: Option<String>,
    cookies: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Client {
    pub fn new(base: &str) -> Self {
        Client {
            http: Doer::new(),
            base: base.to_owned(),
            token: None,
            cookies: Arc::default(),
        }
    }

    pub fn with_token(base: &str, token: &str) -> Self {
        Client {
            token: Some(token.to_owned()),
            ..Self::new(base)
        }
    }

    /// Host and port of the application.
    pub fn address(&self) -> &str {
        self.base.strip_prefix("http://").unwrap_or(&self.base)
    }

    /// Begins a request that carries who we are.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut request = self.http.0.request(method, format!("{}{path}", self.base));
        for (name, value) in self.headers() {
            request = request.header(name, value);
        }
        request
    }

    /// The headers that say who we are, for tests that write to sockets themselves.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![(CONNECTION.as_str(), "close".to_owned())];
        let cookies = self.cookie_header();
        if !cookies.is_empty() {
            headers.push((COOKIE.as_str(), cookies));
        }
        if let Some(token) = &self.token {
            headers.push((AUTHORIZATION.as_str(), format!("Bearer {token}")));
        }
        headers
    }

    /// Sends a request and keeps the cookies of the answer.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn try_send(&self, request: RequestBuilder) -> reqwest::Result<Answer> {
        let answer = send(request).await?;
        for cookie in answer.headers.get_all(SET_COOKIE) {
            self.keep(cookie.to_str().expect("a cookie of plain characters"));
        }
        Ok(answer)
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        self.try_send(request).await.expect("an answer")
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// A page, which must be one.
    pub async fn page(&self, path: &str) -> Answer {
        let page = self.get(path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.text());
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        page
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.changing(Method::DELETE, path).await).await
    }

    /// The ids of the rows on all pages of a table from here on.
    pub async fn walked(&self, first: &str) -> Vec<String> {
        let (mut seen, mut next) = (Vec::new(), Some(first.to_owned()));
        while let Some(path) = next {
            let page = self.page(&path).await;
            assert_eq!(page.status, 200, "{path}");
            seen.extend(page.attributes("tbody tr", "id"));
            next = page.attributes("a[rel=next]", "href").pop();
        }
        seen
    }

    /// Puts a document into the trash, purges it there, and gives the answer to that.
    pub async fn purge(&self, id: &str) -> Answer {
        let trashed = self.delete(&format!("/api/documents/{id}")).await;
        assert_eq!(trashed.status, 204, "{}", trashed.text());
        self.delete(&format!("/api/trash/{id}")).await
    }

    pub async fn post_json(&self, path: &str, body: &Value) -> Answer {
        let request = self.changing(Method::POST, path).await;
        let request = request.header(CONTENT_TYPE, "application/json");
        self.send(request.body(body.to_string())).await
    }

    pub async fn patch_json(&self, path: &str, body: &Value) -> Answer {
        let request = self.changing(Method::PATCH, path).await;
        let request = request.header(CONTENT_TYPE, "application/json");
        self.send(request.body(body.to_string())).await
    }

    /// Fills in one of the forms of our pages: the token is added.
    pub async fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.csrf_token().await;
        let mut fields = fields.to_vec();
        fields.push(("csrf_token", &token));
        self.send(self.request(Method::POST, path).form(&fields)).await
    }

    /// Uploads a file through the API, with its size told before it, as our page does.
    pub async fn upload(&self, name: &str, bytes: &[u8]) -> Answer {
        let form = Form::new()
            .size(bytes.len())
            .file(name, "application/octet-stream", bytes);
        self.upload_form("/api/uploads", &form).await
    }

    /// Uploads a file that must be taken, and gives its id.
    pub async fn document(&self, name: &str, bytes: &[u8]) -> String {
        let answer = self.upload(name, bytes).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.field("id")
    }

    /// Uploads a file with processing that must be taken, and gives the answer.
    pub async fn process(&self, name: &str, bytes: &[u8]) -> Answer {
        let form = Form::new().file(name, "application/octet-stream", bytes);
        let answer = self.upload_form("/api/uploads/with-processing", &form).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer
    }

    /// Posts a multipart form to the API.
    pub async fn upload_form(&self, path: &str, form: &Form) -> Answer {
        self.upload_body(path, &form.content_type(), form.bytes()).await
    }

    /// Posts a body of any kind to the API.
    pub async fn upload_body(&self, path: &str, content_type: &str, body: impl Into<Body>) -> Answer {
        let request = self.changing(Method::POST, path).await;
        self.send(request.header(CONTENT_TYPE, content_type).body(body))
            .await
    }

    /// Uploads files through the page's form, which has its token before the files.
    pub async fn post_files(&self, files: &[(&str, &[u8])]) -> Answer {
        let mut form = Form::new().field("csrf_token", &self.csrf_token().await);
        for (name, bytes) in files {
            form = form.file(name, "application/octet-stream", bytes);
        }
        let request = self.request(Method::POST, "/uploads");
        let request = request.header(CONTENT_TYPE, form.content_type());
        self.send(request.body(form.bytes())).await
    }

    /// Signs in through the page.
    pub async fn sign_in(&self, email: &str, password: &str) -> Answer {
        self.post_form("/sign-in", &[("email", email), ("password", password)])
            .await
    }

    /// The token of this browser's forms, read from a page that has one.
    pub async fn csrf_token(&self) -> String {
        let mut page = self.get("/sign-in").await;
        if page.status == 303 {
            page = self.get("/uploads/new").await;
        }
        let token = page.attributes("meta[name=csrf-token]", "content").pop();
        token.unwrap_or_else(|| panic!("{}: no form token: {}", page.status, page.text()))
    }

    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().expect("cookies").get(name).cloned()
    }

    /// A request to the API that changes things: a browser's carries the form token in a header.
    pub async fn changing(&self, method: Method, path: &str) -> RequestBuilder {
        let signed_in = self.token.is_none() && self.cookie("__Host-satchel").is_some();
        if signed_in {
            let token = self.csrf_token().await;
            self.request(method, path).header("x-csrf-token", token)
        } else {
            self.request(method, path)
        }
    }

    fn cookie_header(&self) -> String {
        let cookies = self.cookies.lock().expect("cookies");
        let pairs: Vec<_> = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }

    fn keep(&self, cookie: &str) {
        let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
        let (name, value) = pair.split_once('=').expect("a cookie has a name");
        let mut cookies = self.cookies.lock().expect("cookies");
        if attributes.to_ascii_lowercase().contains("max-age=0") {
            cookies.remove(name);
        } else {
            cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}

async fn send(request: RequestBuilder) -> reqwest::Result<Answer> {
    let response = request.send().await?;
    Ok(Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: response.bytes().await?,
    })
}
