//! Settings and system: what holds, where it comes from, and what the server stands on.

use askama::Template;

use super::filters;
use super::shell::Shell;

/// A setting.
#[derive(Debug, Clone)]
pub struct SettingRow {
    /// The variable.
    pub name: &'static str,
    /// What holds.
    pub value: Option<String>,
    /// Where it comes from.
    pub source: String,
    /// What would hold if nobody said anything.
    pub default: Option<String>,
}

/// `GET /admin/settings`.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/settings.html")]
pub struct SettingsPage {
    /// What surrounds the page.
    pub shell: Shell,
    /// Every setting.
    pub rows: Vec<SettingRow>,
}

/// Something known about the system.
#[derive(Debug, Clone)]
pub struct Fact {
    /// What.
    pub label: &'static str,
    /// How it is.
    pub says: String,
    /// Whether that is well; nothing where it is neither.
    pub good: Option<bool>,
}

/// `GET /admin/system`.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/system.html")]
pub struct SystemPage {
    /// What surrounds the page.
    pub shell: Shell,
    /// What is known.
    pub facts: Vec<Fact>,
    /// What is not ready for production.
    pub warnings: Vec<String>,
    /// What browsers refused on our pages: when, where, why and what.
    pub reports: Vec<(String, String)>,
    /// Migrations, and whether each is applied.
    pub migrations: Vec<(String, bool)>,
}

#[cfg(test)]
mod samples {
    use super::*;

    impl SettingsPage {
        pub(in super::super) fn sample() -> Self {
            SettingsPage {
                shell: Shell::sample("/admin/settings"),
                rows: vec![
                    SettingRow {
                        name: "SATCHEL_BIND",
                        value: Some("<b>127.0.0.1:8080</b>".into()),
                        source: "environment".into(),
                        default: Some("127.0.0.1:8080".into()),
                    },
                    SettingRow {
                        name: "SATCHEL_SMTP_URL",
                        value: None,
                        source: "default".into(),
                        default: None,
                    },
                ],
            }
        }
    }

    impl SystemPage {
        pub(in super::super) fn sample() -> Self {
            SystemPage {
                shell: Shell::sample("/admin/system"),
                facts: vec![
                    Fact {
                        label: "Version",
                        says: "0.1.0".into(),
                        good: None,
                    },
                    Fact {
                        label: "Clock",
                        says: "120 s ahead of Filestack's".into(),
                        good: Some(false),
                    },
                ],
                warnings: vec!["Files are kept by the <b>emulator</b>.".into()],
                reports: vec![("12 Mar 2026".into(), "<script>".into())],
                migrations: vec![
                    ("2026-11-23-100000_create_accounts".into(), true),
                    ("later".into(), false),
                ],
            }
        }
    }
}
