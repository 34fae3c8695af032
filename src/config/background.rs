//! Background work: `SATCHEL_JOB_THREADS`, `SATCHEL_SCAN_WORKFLOW`, `SATCHEL_SCAN_FAILURE`, `SATCHEL_SMTP_URL` and
//! `SATCHEL_MAIL_FROM`.

use url::Url;

use super::error::{ConfigError, quoted};
use super::parse;
use super::secrets::Secret;
use super::vars::Vars;

const DEFAULT_THREADS: u64 = 2;
const MOST_THREADS: u64 = 64;
const LONGEST_ID: usize = 64;

pub(super) const SCAN_WORKFLOW: &str = "SATCHEL_SCAN_WORKFLOW";
pub(super) const SCAN_FAILURE: &str = "SATCHEL_SCAN_FAILURE";
pub(super) const SMTP_URL: &str = "SATCHEL_SMTP_URL";
pub(super) const MAIL_FROM: &str = "SATCHEL_MAIL_FROM";

/// What is done while nobody waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackgroundConfig {
    /// Workers inside the server; none leaves the work to `satchel worker`.
    pub job_threads: usize,
    /// The workflow that looks for viruses; without one nothing is looked at, except by the emulator.
    pub scan_workflow: Option<String>,
    /// What becomes of a file that could not be looked at.
    pub scan_failure: ScanFailure,
    /// How mail is sent; without it none is.
    pub mail: Option<MailConfig>,
}

/// What becomes of a file that could not be looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ScanFailure {
    /// It stays in quarantine.
    #[default]
    Closed,
    /// It is let out.
    Open,
}

impl ScanFailure {
    /// The word in the setting.
    pub fn as_str(self) -> &'static str {
        match self {
            ScanFailure::Closed => "closed",
            ScanFailure::Open => "open",
        }
    }
}

/// How mail is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailConfig {
    /// `smtp://` or `smtps://`, with user and password if the server wants them.
    pub url: Secret,
    /// Who it is from.
    pub from: String,
}

impl BackgroundConfig {
    pub(super) fn from_vars(vars: &Vars) -> Result<Self, ConfigError> {
        let threads = parse::number(
            vars,
            "SATCHEL_JOB_THREADS",
            DEFAULT_THREADS,
            0..=MOST_THREADS,
            "threads",
        )?;
        Ok(Self {
            job_threads: threads as usize,
            scan_workflow: scan_workflow(vars)?,
            scan_failure: scan_failure(vars)?,
            mail: mail(vars)?,
        })
    }

    /// The mail server without who we are to it.
    pub(super) fn redacted_smtp_url(&self) -> Option<String> {
        let mail = self.mail.as_ref()?;
        let mut url = Url::parse(mail.url.expose()).ok()?;
        if !url.username().is_empty() || url.password().is_some() {
            // Both only fail for URLs that have no host, which were refused.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            return Some(url.as_str().replacen("://", "://[hidden]@", 1));
        }
        Some(url.to_string())
    }
}

fn scan_workflow(vars: &Vars) -> Result<Option<String>, ConfigError> {
    let Some(text) = vars.get(SCAN_WORKFLOW).map(str::trim) else {
        return Ok(None);
    };
    let fits = text.len() <= LONGEST_ID && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if fits {
        return Ok(Some(text.to_owned()));
    }
    let problem = format!("is {}, which is not the id of a workflow", quoted(text));
    Err(ConfigError::new(
        SCAN_WORKFLOW,
        problem,
        "11112222-3333-4444-5555-666677778888",
    ))
}

fn scan_failure(vars: &Vars) -> Result<ScanFailure, ConfigError> {
    match vars.get(SCAN_FAILURE).map(str::trim) {
        None | Some("closed") => Ok(ScanFailure::Closed),
        Some("open") => Ok(ScanFailure::Open),
        Some(other) => Err(ConfigError::new(
            SCAN_FAILURE,
            format!("is {}, which is neither closed nor open", quoted(other)),
            "closed",
        )),
    }
}

fn mail(vars: &Vars) -> Result<Option<MailConfig>, ConfigError> {
    const URL_EXAMPLE: &str = "smtp://127.0.0.1:25";
    const FROM_EXAMPLE: &str = "satchel@example.org";
    let (url, from) = match (vars.get(SMTP_URL), vars.get(MAIL_FROM)) {
        (None, None) => return Ok(None),
        (Some(url), Some(from)) => (url.trim(), from.trim()),
        (Some(_), None) => {
            let problem = format!("is not set while {SMTP_URL} is");
            return Err(ConfigError::new(MAIL_FROM, problem, FROM_EXAMPLE));
        }
        (None, Some(_)) => {
            let problem = format!("is not set while {MAIL_FROM} is");
            return Err(ConfigError::new(SMTP_URL, problem, URL_EXAMPLE));
        }
    };
    // A password may be in it, so it is not repeated.
    let usable = Url::parse(url).is_ok_and(|parsed| {
        matches!(parsed.scheme(), "smtp" | "smtps") && parsed.host_str().is_some_and(|host| !host.is_empty())
    });
    if !usable {
        let problem = "is not a URL that begins with smtp:// or smtps:// and names a host";
        return Err(ConfigError::new(SMTP_URL, problem, URL_EXAMPLE));
    }
    let plausible = from
        .split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'));
    if !plausible || from.contains(|c: char| c.is_whitespace() || c.is_control() || "<>,;".contains(c)) {
        let problem = format!("is {}, which is not a plain e-mail address", quoted(from));
        return Err(ConfigError::new(MAIL_FROM, problem, FROM_EXAMPLE));
    }
    Ok(Some(MailConfig {
        url: Secret::new(url),
        from: from.to_owned(),
    }))
}
