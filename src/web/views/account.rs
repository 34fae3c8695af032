//! One's own account, the page that wants the password again, and the one that chooses a password with a link.

use askama::Template;
use time::OffsetDateTime;

use super::filters;
use super::shell::{Field, Shell, Theme};

/// A session of one's own.
#[derive(Debug, Clone)]
pub struct SessionRow {
    /// Names it in addresses.
    pub name: String,
    /// Whether it is the one that looks.
    pub is_this: bool,
    /// What the browser calls itself.
    pub device: String,
    /// The address it was begun from.
    pub address: String,
    /// When it was begun.
    pub begun_at: OffsetDateTime,
    /// When it was last seen.
    pub seen_at: OffsetDateTime,
}

impl SessionRow {
    /// The browser and the system, as far as what it calls itself tells.
    pub fn device(&self) -> String {
        let named = |names: &[(&'static str, &'static str)]| {
            let found = names.iter().find(|(mark, _)| self.device.contains(mark));
            found.map(|(_, name)| *name)
        };
        let browser = named(&[
            ("Edg/", "Edge"),
            ("OPR/", "Opera"),
            ("Firefox/", "Firefox"),
            ("Chrome/", "Chrome"),
            ("Safari/", "Safari"),
        ]);
        let system = named(&[
            ("Android", "Android"),
            ("iPhone", "iPhone"),
            ("iPad", "iPad"),
            ("Windows", "Windows"),
            ("Mac OS X", "macOS"),
            ("Linux", "Linux"),
        ]);
        match (browser, system) {
            (Some(browser), Some(system)) => format!("{browser} on {system}"),
            (Some(one), None) | (None, Some(one)) => one.to_owned(),
            (None, None) if self.device.is_empty() => "Unknown device".to_owned(),
            (None, None) => self.device.chars().take(60).collect(),
        }
    }
}

/// An API token of one's own.
#[derive(Debug, Clone)]
pub struct TokenRow {
    /// Its id.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// What it may do; everything when empty.
    pub scopes: String,
    /// Until when.
    pub expires_at: OffsetDateTime,
    /// Whether that has passed.
    pub has_ended: bool,
    /// When it was last used.
    pub used_at: Option<OffsetDateTime>,
}

/// The form of a new token.
#[derive(Debug, Clone)]
pub struct TokenForm {
    /// The field `name`.
    pub name: Field,
    /// The field `days`.
    pub days: Field,
    /// The boxes that are ticked.
    pub scopes: Vec<&'static str>,
}

impl Default for TokenForm {
    fn default() -> Self {
        TokenForm {
            name: Field::default(),
            days: Field::of("90"),
            scopes: Vec::new(),
        }
    }
}

/// `GET /account`.
#[derive(Debug, Clone, Template)]
#[template(path = "account/show.html")]
pub struct AccountPage {
    /// What surrounds the page.
    pub shell: Shell,
    /// The time that "3 hours ago" is counted from.
    pub now: OffsetDateTime,
    /// Whose account.
    pub email: String,
    /// Documents and bytes that are kept.
    pub kept: (i64, i64),
    /// How many of them may be.
    pub quota: (Option<i64>, Option<i64>),
    /// The colours of this browser.
    pub theme: Theme,
    /// What is wrong with the field `current_password`.
    pub current_error: Option<String>,
    /// What is wrong with the field `password`.
    pub password_error: Option<String>,
    /// The sessions.
    pub sessions: Vec<SessionRow>,
    /// The tokens.
    pub tokens: Vec<TokenRow>,
    /// What tokens can be allowed.
    pub scopes: Vec<&'static str>,
    /// The form of a new token.
    pub form: TokenForm,
    /// The token that was just made: shown once.
    pub made: Option<String>,
}

impl AccountPage {
    /// What is wrong, with the fields' ids.
    pub fn errors(&self) -> Vec<(&'static str, &str)> {
        let fields = [
            ("current-password", &self.current_error),
            ("new-password", &self.password_error),
            ("token-name", &self.form.name.error),
            ("token-days", &self.form.days.error),
        ];
        let wrong = fields
            .into_iter()
            .filter_map(|(id, error)| Some((id, error.as_deref()?)));
        wrong.collect()
    }

    /// Whether this box is ticked.
    pub fn is_chosen(&self, scope: &str) -> bool {
        self.form.scopes.contains(&scope)
    }

    /// Whether this is the chosen theme.
    pub fn has_theme(&self, word: &str) -> bool {
        self.theme.attribute().unwrap_or("auto") == word
    }
}

/// The page that wants the password again.
#[derive(Debug, Clone, Template)]
#[template(path = "account/confirm.html")]
pub struct ConfirmPage {
    /// What surrounds the page.
    pub shell: Shell,
    /// Where the form goes: where it was sent.
    pub action: String,
    /// Who is asked.
    pub email: String,
    /// What was sent.
    pub fields: Vec<(String, String)>,
    /// Why it did not work.
    pub error: Option<String>,
}

/// `GET /password?token=…`.
#[derive(Debug, Clone, Template)]
#[template(path = "account/password.html")]
pub struct PasswordChoosePage {
    /// What surrounds the page.
    pub shell: Shell,
    /// The token of the link.
    pub token: String,
    /// Whose password it is.
    pub email: String,
    /// Whether it is the first one.
    pub is_invitation: bool,
    /// What is wrong with the field `password`.
    pub password_error: Option<String>,
}

#[cfg(test)]
impl AccountPage {
    pub(super) fn sample() -> Self {
        let at = |minute| {
            time::Date::from_calendar_date(2026, time::Month::March, 12)
                .and_then(|day| day.with_hms(14, minute, 0))
                .map(time::PrimitiveDateTime::assume_utc)
                .expect("a time")
        };
        let session = |name: &str, is_this, device: &str| SessionRow {
            name: name.into(),
            is_this,
            device: device.into(),
            address: "203.0.113.5".into(),
            begun_at: at(1),
            seen_at: at(20),
        };
        AccountPage {
            shell: Shell::sample("/account"),
            now: at(30),
            email: "ana.lopez@example.org".into(),
            kept: (1_234, 5_678_901_234),
            quota: (None, Some(10 * 1024 * 1024 * 1024)),
            theme: Theme::Dark,
            current_error: None,
            password_error: None,
            sessions: vec![
                session(
                    "one",
                    true,
                    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                ),
                session("two", false, "<script>alert(1)</script>"),
            ],
            tokens: vec![
                TokenRow {
                    id: "0195-sample-1".into(),
                    name: "nightly backup".into(),
                    scopes: String::new(),
                    expires_at: at(59),
                    has_ended: false,
                    used_at: Some(at(29)),
                },
                TokenRow {
                    id: "0195-sample-2".into(),
                    name: "<b>scanner</b>".into(),
                    scopes: "documents:read uploads:write".into(),
                    expires_at: at(2),
                    has_ended: true,
                    used_at: None,
                },
            ],
            scopes: vec![
                "documents:read",
                "documents:write",
                "uploads:write",
                "account:read",
                "admin",
            ],
            form: TokenForm::default(),
            made: None,
        }
    }

    pub(super) fn sample_with_errors() -> Self {
        AccountPage {
            current_error: Some(
                "This is not your present password. Enter the one that you sign in with.".into(),
            ),
            form: TokenForm {
                name: Field {
                    value: "x".repeat(120),
                    error: Some("A token's name has 1 to 100 characters.".into()),
                },
                scopes: vec!["documents:read"],
                ..TokenForm::default()
            },
            ..Self::sample()
        }
    }

    pub(super) fn sample_with_token() -> Self {
        AccountPage {
            made: Some("satchel_kQ2v9YxsampletokenkQ2v9YxsampletokenkQ2".into()),
            tokens: Vec::new(),
            ..Self::sample()
        }
    }
}

#[cfg(test)]
impl ConfirmPage {
    pub(super) fn sample() -> Self {
        ConfirmPage {
            shell: Shell::sample("/account/tokens"),
            action: "/account/tokens".into(),
            email: "ana.lopez@example.org".into(),
            fields: vec![
                ("name".into(), "\"><script>".into()),
                ("days".into(), "90".into()),
            ],
            error: None,
        }
    }

    pub(super) fn sample_with_error() -> Self {
        ConfirmPage {
            error: Some("The password is not right. Enter the one that you sign in with.".into()),
            ..Self::sample()
        }
    }
}

#[cfg(test)]
impl PasswordChoosePage {
    pub(super) fn sample() -> Self {
        PasswordChoosePage {
            shell: Shell::sample_anonymous("/password"),
            token: "8f7c-sample".into(),
            email: "ana.lopez@example.org".into(),
            is_invitation: true,
            password_error: None,
        }
    }

    pub(super) fn sample_with_error() -> Self {
        PasswordChoosePage {
            is_invitation: false,
            password_error: Some("A password has at least 12 characters.".into()),
            ..Self::sample()
        }
    }
}
