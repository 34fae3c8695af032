//! Our own client (`src/filestack/`) held to one suite, whatever it speaks to: the emulator always, and Filestack itself when
//! `SATCHEL_TEST_FILESTACK_API_KEY` and `SATCHEL_TEST_FILESTACK_APP_SECRET` name an app of an account, which must have security on.
//! The functions are the same for both, so that what the emulator promises is what the service does. Files made at the service are
//! removed at the end of each test.

mod files;
mod links;
mod refusals;
mod uploads;

use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use satchel::filestack::{
    Credentials, Endpoints, Filestack, FilestackError, Grant, Handle, NewUpload, Options, Purpose, StoredFile,
};
use url::Url;

use crate::sdk::bench::{Bench, NOW, SECURED, SECURED_SECRET};
use crate::sdk::parity::{self, Cell};

/// What the column of the parity table is called.
const COLUMN: &str = "our own";
const TEN_MINUTES: Duration = Duration::from_secs(600);
const MIB: usize = 1 << 20;

/// Something that speaks Filestack's protocol, and a client for it.
struct Service {
    client: Filestack,
    http: reqwest::Client,
    now: SystemTime,
    key: String,
    secret: String,
    endpoints: Endpoints,
    made: RefCell<Vec<Handle>>,
    rows: RefCell<Vec<(String, Cell)>>,
    /// Its files and settings, when it is ours; it serves as long as this is there.
    emulator: Option<Bench>,
}

/// Runs a part of the suite against the emulator, records it in the parity table, and runs it against Filestack too where there
/// is an account.
async fn everywhere(section: &str, test: impl AsyncFn(&Service)) {
    let service = Service::emulator();
    test(&service).await;
    parity::record(section, COLUMN, service.rows.take());
    if let Some(service) = Service::filestack() {
        test(&service).await;
        service.clean().await;
    }
}

impl Service {
    fn emulator() -> Self {
        let bench = Bench::start();
        let base = Url::parse(&bench.base).expect("the emulator has an address");
        let now = UNIX_EPOCH + Duration::from_secs(NOW);
        let mut service = Self::new(SECURED, SECURED_SECRET, Endpoints::single(base), now);
        service.emulator = Some(bench);
        service
    }

    /// The service itself, when the environment names an app of it.
    fn filestack() -> Option<Self> {
        let named = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let key = named("SATCHEL_TEST_FILESTACK_API_KEY")?;
        let secret = named("SATCHEL_TEST_FILESTACK_APP_SECRET").expect("a key comes with its app's secret");
        Some(Self::new(
            &key,
            &secret,
            Endpoints::filestack(),
            SystemTime::now(),
        ))
    }

    fn new(key: &str, secret: &str, endpoints: Endpoints, now: SystemTime) -> Self {
        Self {
            client: client(key, secret, &endpoints, false),
            http: http(),
            now,
            key: key.to_owned(),
            secret: secret.to_owned(),
            endpoints,
            made: RefCell::default(),
            rows: RefCell::default(),
            emulator: None,
        }
    }

    /// A client that asks for intelligent ingestion.
    fn intelligent(&self) -> Filestack {
        client(&self.key, &self.secret, &self.endpoints, true)
    }

    /// A client of the same app that signs with another secret.
    fn forger(&self) -> Filestack {
        client(&self.key, "NOTTHESECRETOFTHISAPP00000", &self.endpoints, false)
    }

    fn grant(&self, purpose: Purpose<'_>) -> Grant {
        self.client.grant(purpose, self.now, TEN_MINUTES)
    }

    /// Remembers what has to be removed, and gives it back.
    #[track_caller]
    fn made(&self, file: Result<StoredFile, FilestackError>) -> StoredFile {
        let file = file.expect("the file is stored");
        self.made.borrow_mut().push(file.handle.clone());
        file
    }

    /// Uploads bytes as a file of this name and type.
    async fn upload(&self, filename: &str, mimetype: &str, content: &[u8]) -> StoredFile {
        let path = "contract/";
        let grant = self.grant(Purpose::Upload {
            path,
            max_size: content.len() as u64,
        });
        let new = NewUpload {
            filename: filename.to_owned(),
            mimetype: mimetype.to_owned(),
            size: content.len() as u64,
            path: Some(path.to_owned()),
            ..NewUpload::default()
        };
        let content = Bytes::copy_from_slice(content);
        self.made(self.client.upload_bytes(new, grant, content).await)
    }

    /// The bytes of a file, by a URL signed for reading it.
    async fn content(&self, handle: &Handle) -> Bytes {
        let grant = self.grant(Purpose::Read { handle });
        let (status, bytes) = self.get(&self.client.delivery_url(handle, Some(&grant))).await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&bytes));
        bytes
    }

    async fn get(&self, url: &Url) -> (u16, Bytes) {
        let reply = self.http.get(url.clone()).send().await.expect("an answer");
        let status = reply.status().as_u16();
        (status, reply.bytes().await.expect("a whole answer"))
    }

    /// Notes a call that did what it had to.
    fn works(&self, call: impl Into<String>) {
        self.rows.borrow_mut().push((call.into(), Cell::Works));
    }

    /// Notes a call that was refused as it had to be.
    #[track_caller]
    fn refuses<T: std::fmt::Debug>(&self, call: impl Into<String>, result: Result<T, FilestackError>) {
        let call = call.into();
        let status = match result.expect_err(&call) {
            FilestackError::Rejected { status, .. } => status,
            FilestackError::NotFound => 404,
            error => panic!("{call}: {error:?}"),
        };
        self.refused(call, status);
    }

    fn refused(&self, call: impl Into<String>, status: u16) {
        let cell = Cell::Refused(u64::from(status));
        self.rows.borrow_mut().push((call.into(), cell));
    }

    async fn clean(&self) {
        for handle in self.made.take() {
            let grant = self.grant(Purpose::Remove { handle: &handle });
            match self.client.delete(&handle, grant).await {
                Ok(()) | Err(FilestackError::NotFound) => {}
                Err(error) => panic!("{handle} stays at Filestack: {error}"),
            }
        }
    }
}

fn client(key: &str, secret: &str, endpoints: &Endpoints, intelligent: bool) -> Filestack {
    let credentials = Credentials::new(key, secret).expect("a key and a secret");
    let options = Options {
        intelligent,
        ..Options::default()
    };
    Filestack::new(credentials, endpoints.clone(), options).expect("a client")
}

fn http() -> reqwest::Client {
    let roots = webpki_roots::TLS_SERVER_ROOTS.iter().cloned();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the usual versions of TLS")
        .with_root_certificates(roots.collect::<rustls::RootCertStore>())
        .with_no_client_auth();
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none());
    client.build().expect("an HTTP client")
}
