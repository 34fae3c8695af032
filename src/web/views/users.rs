//! Users as administrators see them.

use askama::Template;
use time::OffsetDateTime;
#[cfg(test)]
use time::macros::datetime;

use super::filters;
use super::shell::{Field, Shell};
use super::table::Table;

/// How an account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserState {
    /// Its owner may sign in.
    Active,
    /// Its owner has no password yet.
    Invited,
    /// Nobody may sign in.
    Disabled,
}

impl UserState {
    /// All of them, in the order of the filter.
    pub const ALL: [UserState; 3] = [UserState::Active, UserState::Invited, UserState::Disabled];

    /// In words.
    pub fn label(self) -> &'static str {
        match self {
            UserState::Active => "Active",
            UserState::Invited => "Invited",
            UserState::Disabled => "Disabled",
        }
    }

    /// The icon beside the words.
    pub fn icon(self) -> &'static str {
        match self {
            UserState::Active => "check",
            UserState::Invited => "clock",
            UserState::Disabled => "close",
        }
    }

    /// The class that colours it.
    pub fn class(self) -> &'static str {
        match self {
            UserState::Active => "status-ready",
            UserState::Invited => "status-processing",
            UserState::Disabled => "status-off",
        }
    }
}

/// One user in the list.
#[derive(Debug, Clone)]
pub struct UserRow {
    /// Id.
    pub id: String,
    /// Address.
    pub email: String,
    /// Whether they administer.
    pub is_admin: bool,
    /// How the account stands.
    pub state: UserState,
    /// Documents and bytes that they keep.
    pub kept: (i64, i64),
    /// How many of them they may.
    pub quota: (Option<i64>, Option<i64>),
}

impl UserRow {
    /// The role in words.
    pub fn role(&self) -> &'static str {
        if self.is_admin { "Administrator" } else { "Member" }
    }

    /// Whether nobody may sign in.
    pub fn is_disabled(&self) -> bool {
        self.state == UserState::Disabled
    }
}

/// A quota as it is typed: nothing for no bound.
#[derive(Debug, Clone, Default)]
pub struct QuotaForm {
    /// The field `mebibytes`.
    pub mebibytes: Field,
    /// The field `documents`.
    pub documents: Field,
}

impl QuotaForm {
    /// One that holds these bounds; a part of a mebibyte is left out.
    pub fn of(bytes: Option<i64>, documents: Option<i64>) -> Self {
        let text = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
        QuotaForm {
            mebibytes: Field::of(text(bytes.map(|bytes| bytes >> 20))),
            documents: Field::of(text(documents)),
        }
    }
}

/// An invitation as it is typed.
#[derive(Debug, Clone, Default)]
pub struct InviteForm {
    /// The field `email`.
    pub email: Field,
    /// Whether the role is the administrators'.
    pub is_admin: bool,
}

/// A link that was just made: shown once.
#[derive(Debug, Clone)]
pub struct MadeLink {
    /// Whom it is for.
    pub email: String,
    /// The address.
    pub url: String,
    /// Whether it was mailed; `None` when no mail is sent.
    pub mailed: Option<bool>,
}

/// `GET /admin/users`.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/users.html")]
pub struct UserIndexPage {
    /// What surrounds the page.
    pub shell: Shell,
    /// The users.
    pub table: Table,
    /// Documents and bytes of everybody.
    pub kept: (i64, i64),
    /// When that was counted, if it was not just now.
    pub counted_at: Option<OffsetDateTime>,
    /// What everybody together may keep.
    pub total: QuotaForm,
    /// The invitation that is typed.
    pub invite: InviteForm,
    /// The link that was just made.
    pub link: Option<MadeLink>,
}

impl UserIndexPage {
    /// What is wrong, with the fields' ids.
    pub fn errors(&self) -> Vec<(&'static str, &str)> {
        let fields = [
            ("invite-email", &self.invite.email.error),
            ("total-mebibytes", &self.total.mebibytes.error),
            ("total-documents", &self.total.documents.error),
        ];
        let wrong = fields
            .into_iter()
            .filter_map(|(id, error)| Some((id, error.as_deref()?)));
        wrong.collect()
    }
}

/// `GET /admin/users/{id}`.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/user.html")]
pub struct UserShowPage {
    /// What surrounds the page.
    pub shell: Shell,
    /// The user.
    pub row: UserRow,
    /// Whether it is the reader.
    pub is_self: bool,
    /// When the account was made.
    pub created_at: OffsetDateTime,
    /// What uploads under way hold: documents and bytes.
    pub reserved: (i64, i64),
    /// The quota that is typed.
    pub quota: QuotaForm,
    /// The link that was just made.
    pub link: Option<MadeLink>,
}

impl UserShowPage {
    /// What is wrong, with the fields' ids.
    pub fn errors(&self) -> Vec<(&'static str, &str)> {
        let fields = [
            ("quota-mebibytes", &self.quota.mebibytes.error),
            ("quota-documents", &self.quota.documents.error),
        ];
        let wrong = fields
            .into_iter()
            .filter_map(|(id, error)| Some((id, error.as_deref()?)));
        wrong.collect()
    }
}

#[cfg(test)]
impl UserIndexPage {
    pub(super) fn sample() -> Self {
        use super::table::{Cell, TableRow};

        let row = |email: &str, state: UserState| TableRow {
            id: format!("user-{}", state.label()),
            cells: vec![
                Cell::Link {
                    text: email.into(),
                    href: "/admin/users/0195-sample-1".into(),
                    note: String::new(),
                },
                Cell::Mark {
                    label: state.label().to_owned(),
                    icon: state.icon(),
                    class: state.class(),
                    note: String::new(),
                },
            ],
        };
        UserIndexPage {
            shell: Shell::sample("/admin/users"),
            table: Table {
                noun: "users",
                rows: vec![
                    row("ana.lopez@example.org", UserState::Active),
                    row(
                        "an-address-that-is-rather-long-for-a-phone@department.example.org",
                        UserState::Invited,
                    ),
                    row("<b>@example.org", UserState::Disabled),
                ],
                next: Some("a%40example.org".into()),
                ..Table::sample("/admin/users")
            },
            kept: (12_345, 56_789_012_345),
            counted_at: Some(datetime!(2026-03-12 14:04 UTC)),
            total: QuotaForm::of(Some(100 << 30), None),
            invite: InviteForm::default(),
            link: None,
        }
    }

    pub(super) fn sample_invited() -> Self {
        UserIndexPage {
            link: Some(MadeLink {
                email: "bob@example.org".into(),
                url: "https://satchel.example.org/password?token=kQ2v9YxsampletokenkQ2v9YxsampletokenkQ2"
                    .into(),
                mailed: Some(false),
            }),
            table: Table::sample("/admin/users"),
            ..Self::sample()
        }
    }

    pub(super) fn sample_with_errors() -> Self {
        UserIndexPage {
            invite: InviteForm {
                email: Field {
                    value: "bob".into(),
                    error: Some("Enter an e-mail address like ana@example.org.".into()),
                },
                is_admin: true,
            },
            ..Self::sample()
        }
    }
}

#[cfg(test)]
impl UserShowPage {
    pub(super) fn sample() -> Self {
        UserShowPage {
            shell: Shell::sample("/admin/users/0195-sample-1"),
            row: UserRow {
                id: "0195-sample-1".into(),
                email: "ana.lopez@example.org".into(),
                is_admin: true,
                state: UserState::Active,
                kept: (1_234, 5_678_901_234),
                quota: (None, Some(10 << 30)),
            },
            is_self: false,
            created_at: OffsetDateTime::UNIX_EPOCH,
            reserved: (1, 1_000_000),
            quota: QuotaForm::of(Some(10 << 30), Some(5)),
            link: None,
        }
    }

    pub(super) fn sample_with_error() -> Self {
        let mut page = UserShowPage::sample();
        page.row.state = UserState::Disabled;
        page.quota.mebibytes = Field {
            value: "much".into(),
            error: Some("Enter a whole number from 0 to 10, or nothing for no bound.".into()),
        };
        page
    }
}
