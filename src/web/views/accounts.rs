//! The pages before there is a session: set-up and sign-in.

use askama::Template;

use super::filters;
use super::shell::{Field, Shell};

/// `GET /setup?token=…`: makes the first administrator.
#[derive(Debug, Clone, Template)]
#[template(path = "setup.html")]
pub struct SetupPage {
    /// What surrounds the page.
    pub shell: Shell,
    /// The one-time token of the printed link, sent back as the hidden field `token`.
    pub token: String,
    /// The field `email`.
    pub email: Field,
    /// What is wrong with the field `password`, whose value is never shown again.
    pub password_error: Option<String>,
    /// What is wrong with the form as a whole.
    pub error: Option<String>,
}

impl SetupPage {
    /// Whether the summary at the top is due.
    pub fn has_errors(&self) -> bool {
        self.error.is_some() || self.email.error.is_some() || self.password_error.is_some()
    }
}

/// `GET /sign-in?next=…`.
#[derive(Debug, Clone, Template)]
#[template(path = "sign_in.html")]
pub struct SignInPage {
    /// What surrounds the page.
    pub shell: Shell,
    /// The path to go to afterwards, sent back as the hidden field `next`; empty for the usual place.
    pub next: String,
    /// The field `email`.
    pub email: String,
    /// Why it did not work: one sentence that is the same for a wrong address and a wrong password.
    pub error: Option<String>,
}

#[cfg(test)]
impl SetupPage {
    pub(super) fn sample() -> Self {
        SetupPage {
            shell: Shell::sample_anonymous("/setup"),
            token: "8f7c-sample".into(),
            email: Field::of("ana.lopez@example.org"),
            password_error: None,
            error: None,
        }
    }

    pub(super) fn sample_with_errors() -> Self {
        SetupPage {
            email: Field {
                value: "ana.lopez".into(),
                error: Some("Enter an e-mail address, such as name@example.org.".into()),
            },
            password_error: Some("Use at least 12 characters.".into()),
            ..SetupPage::sample()
        }
    }
}

#[cfg(test)]
impl SignInPage {
    pub(super) fn sample() -> Self {
        SignInPage {
            shell: Shell::sample_anonymous("/sign-in"),
            next: "/documents".into(),
            email: String::new(),
            error: None,
        }
    }

    pub(super) fn sample_with_error() -> Self {
        SignInPage {
            email: "ana.lopez@example.org".into(),
            error: Some("The e-mail address or the password is not right. Check both and try again.".into()),
            ..SignInPage::sample()
        }
    }
}
