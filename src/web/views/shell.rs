//! What every page has in common: who is signed in, the CSRF token, one notice, the theme.

/// The cookie that holds a chosen [`Theme`]; the page's script writes it, the server reads it for the first paint.
pub const THEME_COOKIE: &str = "theme";

/// What surrounds the content of every page.
///
/// The default is a page for a stranger that needs neither a session nor a database, as an error page must be.
#[derive(Debug, Clone, Default)]
pub struct Shell {
    /// Who is signed in, if anybody is.
    pub user: Option<ShellUser>,
    /// The token that every form of the page carries as `csrf_token`; empty if the page has no form to send.
    pub csrf: String,
    /// The path of the request, to mark the current place in the navigation.
    pub path: String,
    /// One message about what has just happened.
    pub notice: Option<Notice>,
    /// Whether files are kept by the built-in emulator and not by Filestack.
    pub emulator_banner: bool,
    /// The chosen colours.
    pub theme: Theme,
}

impl Shell {
    /// The state of a navigation link: `page` for the page itself, `true` for a page below it.
    pub fn current(&self, href: &str) -> Option<&'static str> {
        if self.path == href {
            return Some("page");
        }
        let below = self.path.strip_prefix(href)?;
        below.starts_with('/').then_some("true")
    }

    /// Whether the page of documents is current, as a value of `aria-current`.
    pub fn in_documents(&self) -> Option<&'static str> {
        self.current("/documents")
            .or_else(|| self.current("/trash").map(|_| "true"))
    }

    /// Whether the account is current, as a value of `aria-current`.
    pub fn in_account(&self) -> Option<&'static str> {
        self.current("/account")
    }

    /// Whether the administrators' part is current, as a value of `aria-current`.
    pub fn in_admin(&self) -> Option<&'static str> {
        self.current("/admin")
    }

    /// Whether this place of the administrators' is current: the first one stands for itself alone.
    pub fn in_admin_place(&self, path: &str) -> Option<&'static str> {
        self.current(path)
            .filter(|state| path != "/admin" || *state == "page")
    }

    /// The administrators' pages, with what the navigation calls them.
    pub fn admin_places(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("/admin", "Overview"),
            ("/admin/users", "Users"),
            ("/admin/documents", "Documents"),
            ("/admin/webhooks", "Webhooks"),
            ("/admin/jobs", "Jobs"),
            ("/admin/audit", "Audit"),
            ("/admin/settings", "Settings"),
            ("/admin/system", "System"),
        ]
    }

    /// Whether the upload page is current, as a value of `aria-current`.
    pub fn in_uploads(&self) -> Option<&'static str> {
        self.current("/uploads/new")
    }
}

/// The signed-in person, as the menu shows them.
#[derive(Debug, Clone)]
pub struct ShellUser {
    /// Their e-mail address.
    pub email: String,
    /// Whether they have the role admin.
    pub is_admin: bool,
}

impl ShellUser {
    /// The letter of the round badge.
    pub fn initial(&self) -> String {
        self.email
            .chars()
            .next()
            .map(|c| c.to_uppercase().to_string())
            .unwrap_or_default()
    }

    /// The role in words.
    pub fn role(&self) -> &'static str {
        if self.is_admin { "Administrator" } else { "Member" }
    }
}

/// A message about what has just happened.
#[derive(Debug, Clone)]
pub struct Notice {
    /// Its weight.
    pub kind: NoticeKind,
    /// One or two complete sentences.
    pub text: String,
    /// How to take it back, if that is one click.
    pub undo: Option<Undo>,
}

/// The form that takes back what has just happened.
#[derive(Debug, Clone)]
pub struct Undo {
    /// Where it is sent.
    pub action: String,
    /// The moment of what is taken back, where that is what names it.
    pub at: Option<i64>,
}

/// How much weight a [`Notice`] has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeKind {
    /// It was done.
    Success,
    /// Good to know.
    Info,
    /// It was done in part, or needs attention.
    Warning,
    /// It was not done.
    Error,
}

impl NoticeKind {
    /// The class that colours it.
    pub fn class(self) -> &'static str {
        match self {
            NoticeKind::Success => "notice-success",
            NoticeKind::Info => "notice-info",
            NoticeKind::Warning => "notice-warning",
            NoticeKind::Error => "notice-error",
        }
    }

    /// The icon that says the same without colour.
    pub fn icon(self) -> &'static str {
        match self {
            NoticeKind::Success => "check",
            NoticeKind::Info => "info",
            NoticeKind::Warning | NoticeKind::Error => "alert",
        }
    }

    /// The role that makes a screen reader say it: at once if something went wrong, else in its turn.
    pub fn role(self) -> &'static str {
        match self {
            NoticeKind::Success | NoticeKind::Info => "status",
            NoticeKind::Warning | NoticeKind::Error => "alert",
        }
    }
}

/// The colours of a page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Theme {
    /// What the device prefers.
    #[default]
    Auto,
    /// Dark text on light paper.
    Light,
    /// Light text on dark paper.
    Dark,
}

impl Theme {
    /// Reads the value of [`THEME_COOKIE`]; what it does not know is [`Theme::Auto`].
    pub fn from_cookie(value: &str) -> Self {
        match value {
            "light" => Theme::Light,
            "dark" => Theme::Dark,
            _ => Theme::Auto,
        }
    }

    /// The value of `data-theme`; none leaves the choice to the device.
    pub fn attribute(self) -> Option<&'static str> {
        match self {
            Theme::Auto => None,
            Theme::Light => Some("light"),
            Theme::Dark => Some("dark"),
        }
    }
}

/// A form field as it is shown again: what was typed, and what is wrong with it.
#[derive(Debug, Clone, Default)]
pub struct Field {
    /// What was typed; never a password.
    pub value: String,
    /// A sentence that says what to do.
    pub error: Option<String>,
}

impl Field {
    /// A field that holds a value and has no error.
    pub fn of(value: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            error: None,
        }
    }
}

#[cfg(test)]
impl Shell {
    /// The shell of a signed-in member.
    pub(super) fn sample(path: &str) -> Self {
        Shell {
            user: Some(ShellUser {
                email: "ana.lopez@example.org".into(),
                is_admin: true,
            }),
            csrf: "kQ2v9Yx-sample-token".into(),
            path: path.into(),
            emulator_banner: true,
            ..Shell::default()
        }
    }

    /// The shell of a page that comes before sign-in.
    pub(super) fn sample_anonymous(path: &str) -> Self {
        Shell {
            csrf: "kQ2v9Yx-sample-token".into(),
            path: path.into(),
            ..Shell::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_below_a_place_marks_the_place() {
        assert_eq!(Shell::sample("/documents").in_documents(), Some("page"));
        assert_eq!(Shell::sample("/documents/1").in_documents(), Some("true"));
        assert_eq!(Shell::sample("/documents-old").in_documents(), None);
        assert_eq!(Shell::sample("/uploads/new").in_documents(), None);
    }

    #[test]
    fn an_unknown_theme_is_left_to_the_device() {
        assert_eq!(Theme::from_cookie("dark").attribute(), Some("dark"));
        assert_eq!(Theme::from_cookie("light").attribute(), Some("light"));
        assert_eq!(Theme::from_cookie("\"><script>").attribute(), None);
    }
}
