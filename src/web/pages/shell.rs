//! What surrounds every page, made from the request; and the one notice that survives a redirect.

use std::borrow::Cow;

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};

use super::told::Told;
use crate::db::models::users::{Role, User};
use crate::web::AppState;
use crate::web::extract::csrf_token;
use crate::web::views::{Notice, NoticeKind, Shell, ShellUser, THEME_COOKIE, Theme};

const NOTICE_COOKIE: &str = "__Host-satchel-notice";

/// What may be said after a redirect. The cookie carries the name alone: nobody can put words into our mouth.
#[derive(Clone, Copy)]
pub(super) enum Said {
    /// A document has another name.
    Renamed,
    /// A document has other tags or another note.
    Described,
    /// A job is due now.
    JobDue,
    /// Failed jobs are due now.
    JobsDue,
    /// A job was called off.
    JobCancelled,
    /// Events are applied again.
    Replayed,
    /// A sample of an event was sent.
    SampleSent,
    /// The password is changed, and every other session has ended.
    PasswordChanged,
    /// The password is saved.
    PasswordChosen,
    /// The sessions have ended.
    SessionsEnded,
    /// The token is revoked.
    TokenRevoked,
    /// The colours are saved in this browser.
    ThemeSet,
    /// The role is saved.
    RoleSet,
    /// The bounds are saved.
    QuotaSet,
    /// The account is disabled, and its sessions have ended.
    UserDisabled,
    /// The account is enabled.
    UserEnabled,
    /// Set-up is done.
    Welcome,
    /// The session has ended.
    SignedOut,
}

impl Said {
    const ALL: [Said; 18] = [
        Said::Renamed,
        Said::Described,
        Said::JobDue,
        Said::JobsDue,
        Said::JobCancelled,
        Said::Replayed,
        Said::SampleSent,
        Said::PasswordChanged,
        Said::PasswordChosen,
        Said::SessionsEnded,
        Said::TokenRevoked,
        Said::ThemeSet,
        Said::RoleSet,
        Said::QuotaSet,
        Said::UserDisabled,
        Said::UserEnabled,
        Said::Welcome,
        Said::SignedOut,
    ];

    fn name(self) -> &'static str {
        match self {
            Said::Renamed => "renamed",
            Said::Described => "described",
            Said::JobDue => "job-due",
            Said::JobsDue => "jobs-due",
            Said::JobCancelled => "job-cancelled",
            Said::Replayed => "replayed",
            Said::SampleSent => "sample-sent",
            Said::PasswordChanged => "password-changed",
            Said::PasswordChosen => "password-chosen",
            Said::SessionsEnded => "sessions-ended",
            Said::TokenRevoked => "token-revoked",
            Said::ThemeSet => "theme-set",
            Said::RoleSet => "role-set",
            Said::QuotaSet => "quota-set",
            Said::UserDisabled => "user-disabled",
            Said::UserEnabled => "user-enabled",
            Said::Welcome => "welcome",
            Said::SignedOut => "signed-out",
        }
    }

    fn notice(self) -> Notice {
        let (kind, text) = match self {
            Said::Renamed => (NoticeKind::Success, "The document has its new name."),
            Said::Described => (NoticeKind::Success, "Tags and note are saved."),
            Said::JobDue => (NoticeKind::Success, "The job waits and is due now."),
            Said::JobsDue => (NoticeKind::Success, "The failed jobs wait and are due now."),
            Said::JobCancelled => (NoticeKind::Success, "The job is cancelled."),
            Said::Replayed => (
                NoticeKind::Success,
                "The workers apply it again. Reload to see what came of it.",
            ),
            Said::SampleSent => (
                NoticeKind::Success,
                "The sample has arrived. The workers look at it next.",
            ),
            Said::PasswordChanged => (
                NoticeKind::Success,
                "The password is changed, and every other session has ended.",
            ),
            Said::PasswordChosen => (NoticeKind::Success, "The password is saved. Sign in with it."),
            Said::SessionsEnded => (NoticeKind::Success, "The sessions have ended."),
            Said::TokenRevoked => (
                NoticeKind::Success,
                "The token is revoked. Programs that use it are turned away from now on.",
            ),
            Said::ThemeSet => (NoticeKind::Success, "The colours are saved in this browser."),
            Said::RoleSet => (
                NoticeKind::Success,
                "The role is saved. Whoever was signed in with the old one has to sign in again.",
            ),
            Said::QuotaSet => (NoticeKind::Success, "The bounds are saved."),
            Said::UserDisabled => (
                NoticeKind::Success,
                "The account is disabled, and its sessions have ended.",
            ),
            Said::UserEnabled => (NoticeKind::Success, "The account is enabled."),
            Said::Welcome => (
                NoticeKind::Success,
                "Set-up is done. You are signed in as the first administrator.",
            ),
            Said::SignedOut => (NoticeKind::Info, "You are signed out."),
        };
        Notice {
            kind,
            text: text.to_owned(),
            undo: None,
        }
    }

    /// The cookie that says it on the next page.
    pub(super) fn cookie(self) -> Cookie<'static> {
        notice_cookie(self.name(), Duration::minutes(1))
    }
}

pub(super) fn notice_cookie(value: impl Into<Cow<'static, str>>, max_age: Duration) -> Cookie<'static> {
    Cookie::build(NOTICE_COOKIE, value)
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Lax)
        .max_age(max_age)
        .finish()
}

/// What such a cookie says, if it is one of ours.
fn notice_of(text: &str) -> Option<Notice> {
    let said = Said::ALL.into_iter().find(|said| said.name() == text);
    said.map(Said::notice)
        .or_else(|| Told::read(text).map(Told::notice))
}

/// A shell, and the cookies that go with the page.
pub(super) struct Dressed {
    pub(super) shell: Shell,
    pub(super) cookies: [Option<Cookie<'static>>; 2],
}

/// What surrounds a page for this request.
pub(super) fn dress(request: &HttpRequest, state: &AppState, user: Option<&User>) -> Dressed {
    let form = csrf_token(request, state);
    let notice = request
        .cookie(NOTICE_COOKIE)
        .and_then(|cookie| notice_of(cookie.value()));
    let over = notice.as_ref().map(|_| notice_cookie("", Duration::ZERO));
    let shell = Shell {
        user: user.map(|user| ShellUser {
            email: user.email.clone(),
            is_admin: user.role == Role::Admin,
        }),
        csrf: form.token,
        path: request.path().to_owned(),
        notice,
        emulator_banner: state.settings.emulator,
        theme: theme(request),
    };
    Dressed {
        shell,
        cookies: [form.cookie, over],
    }
}

/// What surrounds a page that knows nobody: errors.
pub(crate) fn bare(state: &AppState, path: &str, theme: Theme) -> Shell {
    Shell {
        path: path.to_owned(),
        emulator_banner: state.settings.emulator,
        theme,
        ..Shell::default()
    }
}

/// The theme chosen in this browser.
pub(crate) fn theme(request: &HttpRequest) -> Theme {
    request
        .cookie(THEME_COOKIE)
        .map(|cookie| Theme::from_cookie(cookie.value()))
        .unwrap_or_default()
}
