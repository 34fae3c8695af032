//! The Filestack applications the emulator knows: key, secret and whether security is on.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::ids;

/// What keys that are made up here begin with, so that nobody takes them for Filestack's.
const MADE_UP: &str = "Aemulator";

/// One application of a Filestack account.
#[derive(Clone, PartialEq, Eq)]
pub struct App {
    /// The API key clients name.
    pub key: String,
    /// The app secret that policies are signed with.
    pub secret: String,
    /// Whether every call needs a policy. Without it only overwrite and delete do (§2.4).
    pub secured: bool,
}

impl App {
    /// Reads `KEY:SECRET`, or `KEY:SECRET:open` for an application with security off.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the text; it never repeats the secret.
    pub fn parse(text: &str) -> Result<Self, String> {
        const FORM: &str = "write KEY:SECRET or KEY:SECRET:open, for example ADemoKeyz:DEMOSECRET";
        let mut fields = text.split(':');
        let (Some(key), Some(secret), mode, None) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            return Err(format!("an app has two or three fields: {FORM}"));
        };
        let secured = match mode {
            None => true,
            Some("open") => false,
            Some(_) => return Err(format!("the third field of an app can only be `open`: {FORM}")),
        };
        // The key is a segment of delivery URLs, where other characters have a meaning (§6.1).
        if key.is_empty()
            || !key
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        {
            return Err(format!(
                "an app's key has letters, digits, `-` and `_` only: {FORM}"
            ));
        }
        if secret.is_empty() {
            return Err(format!("an app's secret is empty: {FORM}"));
        }
        Ok(Self {
            key: key.to_owned(),
            secret: secret.to_owned(),
            secured,
        })
    }

    /// Whether key and secret have the form that the service gives out (§11.2), and the key does not say that it was made up.
    pub fn looks_real(&self) -> bool {
        let (key, secret) = (self.key.as_bytes(), self.secret.as_bytes());
        let real_key = (20..=24).contains(&key.len())
            && key.starts_with(b"A")
            && key.ends_with(b"z")
            && key.iter().all(u8::is_ascii_alphanumeric)
            && !self.key.starts_with(MADE_UP);
        let real_secret = secret.len() == 26
            && secret
                .iter()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        real_key && real_secret
    }

    /// A secured application with a random key and secret, in the form the service gives out (§11.2), the key known for what it is.
    pub fn made_up() -> Self {
        let secret = ids::alphanumeric(26).to_ascii_uppercase();
        Self {
            key: format!("{MADE_UP}{}z", ids::alphanumeric(12)),
            secret,
            secured: true,
        }
    }
}

// By hand, so that a logged application does not give its secret away.
impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("key", &self.key)
            .field("secured", &self.secured)
            .finish_non_exhaustive()
    }
}

/// The known applications, never none. Clones are the same applications: security switched in one is in all.
#[derive(Clone, Debug)]
pub(super) struct Apps(Arc<[Entry]>);

/// An application in both forms, so that a running request keeps the one it began with while security is switched.
#[derive(Debug)]
struct Entry {
    secured: App,
    open: App,
    is_secured: AtomicBool,
    was_secured: bool,
}

impl Entry {
    fn new(app: App) -> Self {
        let form = |secured| App {
            secured,
            ..app.clone()
        };
        Self {
            secured: form(true),
            open: form(false),
            is_secured: AtomicBool::new(app.secured),
            was_secured: app.secured,
        }
    }

    fn app(&self) -> &App {
        if self.is_secured.load(Ordering::Relaxed) {
            &self.secured
        } else {
            &self.open
        }
    }
}

impl Apps {
    /// `None` when the list is empty or names a key twice.
    pub(super) fn new(apps: Vec<App>) -> Option<Self> {
        let twice = apps
            .iter()
            .enumerate()
            .any(|(at, app)| apps[..at].iter().any(|other| other.key == app.key));
        (!apps.is_empty() && !twice).then(|| Self(apps.into_iter().map(Entry::new).collect()))
    }

    pub(super) fn find(&self, key: &str) -> Option<&App> {
        self.iter().find(|app| app.key == key)
    }

    pub(super) fn is_key(&self, text: &str) -> bool {
        self.find(text).is_some()
    }

    /// Whose file it is. Files of an application that is no longer named belong to the first one: an emulator started
    /// again with another made-up application must still deliver, and must not deliver without a policy.
    pub(super) fn owner(&self, key: Option<&str>) -> &App {
        key.and_then(|key| self.find(key))
            .unwrap_or_else(|| self.0[0].app())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &App> {
        self.0.iter().map(Entry::app)
    }

    /// Switches an application's security (§2.4); `false` when the key is not known.
    pub(super) fn secure(&self, key: &str, secured: bool) -> bool {
        let entry = self.0.iter().find(|entry| entry.secured.key == key);
        if let Some(entry) = entry {
            entry.is_secured.store(secured, Ordering::Relaxed);
        }
        entry.is_some()
    }

    /// Every application's security as it was at the start.
    pub(super) fn reset(&self) {
        for entry in &*self.0 {
            entry.is_secured.store(entry.was_secured, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_is_key_and_secret_and_may_be_open() {
        let app = App::parse("AKeyz:SECRET").unwrap();
        assert_eq!(
            (app.key.as_str(), app.secret.as_str(), app.secured),
            ("AKeyz", "SECRET", true)
        );
        assert!(!App::parse("AKeyz:SECRET:open").unwrap().secured);
    }

    #[test]
    fn a_wrong_app_is_refused_without_repeating_the_secret() {
        for text in [
            "",
            "AKeyz",
            ":HUSH",
            "AKeyz:",
            "A/z:HUSH",
            "AKeyz:HUSH:opne",
            "AKeyz:HUSH:open:x",
        ] {
            assert!(!App::parse(text).unwrap_err().contains("HUSH"), "{text}");
        }
        assert!(!format!("{:?}", App::parse("AKeyz:HUSH").unwrap()).contains("HUSH"));
    }

    #[test]
    fn made_up_apps_look_like_real_ones_and_differ() {
        let app = App::made_up();
        assert_eq!((app.key.len(), app.secret.len(), app.secured), (22, 26, true));
        assert_ne!(app, App::made_up());
        assert_eq!(App::parse(&format!("{}:{}", app.key, app.secret)), Ok(app));
    }

    #[test]
    fn x8_credentials_of_the_services_form_are_known() {
        let app = |key: &str, secret: &str| App {
            key: key.to_owned(),
            secret: secret.to_owned(),
            secured: true,
        };
        let (key, secret) = ("A7bXq2LmNw9PRtkVcYd4sz", "NGTHDUWQ2YEXK4OMZCVB6RSLPA");
        assert!(app(key, secret).looks_real());
        assert!(!App::made_up().looks_real());
        for (key, secret) in [
            ("AmyOwnKeyz", secret),
            (key, "MYSECRET"),
            (key, &secret.to_lowercase()),
            ("A7bXq2LmNw9PRtkVcYd4s_", secret),
            ("Aemulator9PRtkVcYd4s7z", secret),
        ] {
            assert!(!app(key, secret).looks_real(), "{key}");
        }
    }

    #[test]
    fn a_key_is_known_once() {
        let app = App::made_up();
        assert!(Apps::new(vec![]).is_none());
        assert!(Apps::new(vec![app.clone(), app]).is_none());
    }

    #[test]
    fn security_is_switched_for_all_clones_and_comes_back() {
        let apps = Apps::new(vec![App::parse("AKeyz:SECRET").unwrap()]).unwrap();
        let clone = apps.clone();
        assert!(apps.secure("AKeyz", false) && !apps.secure("Other", false));
        assert!(!clone.owner(None).secured);
        apps.reset();
        assert!(clone.owner(None).secured);
    }
}
