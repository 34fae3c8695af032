//! A running emulator with files to upload, and the drivers that run SDKs against it.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, UNIX_EPOCH};

use actix_web::dev::ServerHandle;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use image::{ImageFormat, RgbImage};
use satchel::emulator::{self, App, Config, Controls, Meta, Workflow};
use serde_json::{Value, json};
use sha2::Sha256;
use tempfile::TempDir;

use super::report::Report;

/// The time at the emulator, which stands still.
pub const NOW: u64 = 1_800_000_000;
pub const SECURED: &str = "ASecuredz";
pub const SECURED_SECRET: &str = "SECUREDSECRET";
/// A workflow of the app with security.
pub const WORKFLOW: &str = "0b6a2f0e-5f3c-4a3f-9a63-2f1f6c0f7a11";
pub const OPEN: &str = "AOpenz";
const OPEN_SECRET: &str = "OPENSECRET";
const MIB: usize = 1 << 20;

/// Sizes round the parts of the Python SDK and of the smallest part storage takes, and one of several parts.
pub const SIZES: &[(&str, usize)] = &[
    ("1 B", 1),
    ("5 MiB - 1", 5 * MIB - 1),
    ("5 MiB", 5 * MIB),
    ("5 MiB + 1", 5 * MIB + 1),
    ("20 MiB", 20 * MIB),
];

/// An SDK in one of its versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sdk {
    /// `filestack-python` 4.0.0.
    Python,
    /// `filestack-js` 4.3.8.
    JavaScript4,
    /// `filestack-js` 3.51.6.
    JavaScript3,
}

impl Sdk {
    /// Where a driver of this SDK is.
    pub fn driver(self, name: &str) -> PathBuf {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/sdk/drivers");
        match self {
            Self::Python => directory.join(format!("python/{name}.py")),
            Self::JavaScript4 | Self::JavaScript3 => directory.join(format!("javascript/{name}.cjs")),
        }
    }

    /// The name its package was installed by.
    fn package(self) -> &'static str {
        match self {
            Self::Python => "filestack-python",
            Self::JavaScript4 => "filestack-js",
            Self::JavaScript3 => "filestack-js-3",
        }
    }

    fn command(self, installed: &Path) -> Command {
        match self {
            Self::Python => {
                let mut command = Command::new(installed.join("python/bin/python"));
                // Nothing is written beside the drivers.
                command.arg("-B");
                command
            }
            Self::JavaScript4 | Self::JavaScript3 => Command::new("node"),
        }
    }
}

/// An emulator that knows an app with security and one without, and a directory with files.
pub struct Bench {
    pub controls: Controls,
    pub base: String,
    dir: TempDir,
    serving: Option<(ServerHandle, JoinHandle<()>)>,
}

impl Bench {
    pub fn start() -> Self {
        let dir = tempfile::tempdir().expect("a directory can be made");
        let app = |key: &str, secret: &str, secured| App {
            key: key.into(),
            secret: secret.into(),
            secured,
        };
        let apps = vec![app(SECURED, SECURED_SECRET, true), app(OPEN, OPEN_SECRET, false)];
        let mut config = Config::new(dir.path().join("emulator"), apps);
        config.workflows = vec![
            Workflow::new(WORKFLOW, "virus_detection,resize=width:5").expect("the workflow can be read"),
        ];
        let (started, starting) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
                let running = emulator::serve(config, listener, 2).expect("the emulator starts");
                let handle = running.handle();
                let _ = started.send((running.addr, running.controls, handle));
                running.server.await.expect("the emulator ends cleanly");
            });
        });
        let (address, controls, handle) = starting.recv().expect("the emulator has started");
        controls.clock().freeze(UNIX_EPOCH + Duration::from_secs(NOW));
        std::fs::create_dir(dir.path().join("out")).expect("a directory can be made");
        let bench = Self {
            controls,
            base: format!("http://{address}"),
            dir,
            serving: Some((handle, thread)),
        };
        for (name, size) in SIZES {
            bench.write(&bench.file(name), &noise(*size));
        }
        bench.write(&bench.picture(), &png());
        bench
    }

    /// Where it listens.
    pub fn address(&self) -> std::net::SocketAddr {
        let address = self.base.trim_start_matches("http://");
        address.parse().expect("the base is an address")
    }

    /// Runs a driver to its end.
    #[track_caller]
    pub fn run(&self, sdk: Sdk, driver: &str) -> Report {
        self.run_with(sdk, driver, &json!({}))
    }

    /// Runs a driver that needs to know more than the others.
    #[track_caller]
    pub fn run_with(&self, sdk: Sdk, driver: &str, more: &Value) -> Report {
        let installed = installed();
        let mut job = self.job(sdk, &installed);
        for (name, value) in more.as_object().expect("an object") {
            job[name] = value.clone();
        }
        let output = sdk
            .command(&installed)
            .arg(sdk.driver(driver))
            .arg(job.to_string())
            .current_dir(self.dir.path())
            .output()
            .unwrap_or_else(|error| {
                panic!("{sdk:?} cannot be started ({error}): `.ci/sdk` installs Filestack's SDKs")
            });
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{sdk:?} {driver}: {errors}");
        Report::read(std::str::from_utf8(&output.stdout).expect("a driver prints UTF-8"))
    }

    /// The bytes of one of `SIZES`.
    pub fn content(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.file(name)).expect("the file is there")
    }

    /// The bytes a driver left.
    #[track_caller]
    pub fn left(&self, name: &str) -> Vec<u8> {
        let path = self.dir.path().join("out").join(name);
        std::fs::read(path).unwrap_or_else(|error| panic!("the driver left no `{name}`: {error}"))
    }

    /// The bytes the emulator holds for a handle.
    #[track_caller]
    pub fn stored(&self, handle: &str) -> Vec<u8> {
        let found = self.controls.store().read(handle).expect("the store can be read");
        found.unwrap_or_else(|| panic!("the emulator has no file {handle}"))
    }

    /// What the emulator keeps of a file besides its bytes.
    #[track_caller]
    pub fn meta(&self, handle: &str) -> Meta {
        let found = self.controls.store().get(handle).expect("the store can be read");
        found.unwrap_or_else(|| panic!("the emulator has no file {handle}"))
    }

    fn job(&self, sdk: Sdk, installed: &Path) -> Value {
        let files: Vec<Value> = SIZES
            .iter()
            .map(|(name, _)| json!({ "name": name, "path": self.file(name) }))
            .collect();
        let unpadded = URL_SAFE_NO_PAD.encode(format!("{{\"expiry\": {}}}", NOW + 3600));
        json!({
            "base": self.base,
            "now": NOW,
            "sdk": installed,
            "package": sdk.package(),
            "secured": { "key": SECURED, "secret": SECURED_SECRET },
            "open": { "key": OPEN, "secret": OPEN_SECRET },
            "files": files,
            "picture": self.picture(),
            "replacement": self.file("5 MiB - 1"),
            "out": self.dir.path().join("out"),
            "workflow": WORKFLOW,
            "unpadded": { "signature": sign(SECURED_SECRET, &unpadded), "policy": unpadded },
        })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(format!("{name}.bin"))
    }

    fn picture(&self) -> PathBuf {
        self.dir.path().join("picture.png")
    }

    fn write(&self, path: &Path, bytes: &[u8]) {
        std::fs::write(path, bytes).expect("a file can be written");
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if let Some((handle, thread)) = self.serving.take() {
            // The command is sent at once; the thread ends when it has been carried out.
            drop(handle.stop(false));
            // The thread may have ended by a panic of its own, which has been printed.
            let _ = thread.join();
        }
    }
}

/// A PNG in which no two pixels near each other are alike, 60 wide and 40 high.
pub fn png() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture()
        .write_to(&mut bytes, ImageFormat::Png)
        .expect("a PNG can be encoded");
    bytes.into_inner()
}

/// What `png` shows.
pub fn picture() -> RgbImage {
    let shade = |value: u32| u8::try_from(value).expect("a shade below 256");
    RgbImage::from_fn(60, 40, |x, y| image::Rgb([shade(x * 4), shade(y * 6), 128]))
}

/// HMAC-SHA256 in lower-case hex (§2.2, §7.1), once more and by itself.
pub fn sign(secret: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length will do");
    mac.update(text.as_bytes());
    let bytes = mac.finalize().into_bytes();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes that repeat nowhere near.
fn noise(length: usize) -> Vec<u8> {
    (0..length as u64)
        .map(|at| (at.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8)
        .collect()
}

/// Where the SDKs were installed.
pub fn installed() -> PathBuf {
    let named = std::env::var_os("SATCHEL_TEST_SDK_DIR").filter(|path| !path.is_empty());
    let usual = || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/sdk");
    let path = named.map_or_else(usual, PathBuf::from);
    assert!(
        path.is_dir(),
        "Filestack's SDKs are not in {}: `.ci/sdk` installs them there",
        path.display()
    );
    path
}
