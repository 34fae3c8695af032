//! What the pages show: a plain struct for each page, and the template of the same name that renders it.
//!
//! Handlers fill these structs; no struct here knows a row, a request or a clock. [`Shell`] is what every page has
//! in common. Text and numbers are dressed for people in `filters`, file types in [`Kind`]. The pages' samples and
//! the checks that run over all of them are in `checks`.

mod account;
mod accounts;
mod audit;
mod docs;
mod documents;
mod errors;
mod events;
mod filters;
mod jobs;
mod kind;
mod oversight;
mod overview;
mod shell;
mod system;
mod table;
mod tags;
mod trash;
mod uploads;
mod users;

#[cfg(test)]
mod checks;

pub use account::{AccountPage, ConfirmPage, PasswordChoosePage, SessionRow, TokenForm, TokenRow};
pub use accounts::{SetupPage, SignInPage};
pub use audit::{AuditIndexPage, Change, HistoryRow};
pub use docs::DocsPage;
pub use documents::{
    Chip, Column, DocumentIndexPage, DocumentRow, DocumentShowPage, DocumentStatus, MadeRow, MadeStatus,
    Narrowed,
};
pub use errors::ErrorPage;
pub use events::{
    DeliveryRow, EventFilters, EventIndexPage, EventRefusalsPage, EventReplayPage, EventRow, EventShowPage,
    EventStatus, PreviewRow, RefusalRow,
};
pub use filters::{dress_ago, dress_day, dress_number, dress_size, dress_time};
pub use jobs::{JobAttemptRow, JobAttemptsPage, JobIndexPage, JobStatus, StepRow};
pub use kind::Kind;
pub use oversight::{AdminDocumentPage, AdminDocumentsPage};
pub use overview::{Bar, BigFigure, Chart, Check, Failures, OverviewPage};
pub use shell::{Field, Notice, NoticeKind, Shell, ShellUser, THEME_COOKIE, Theme, Undo};
pub use system::{Fact, SettingRow, SettingsPage, SystemPage};
pub use table::{Cell, ColumnKind, FilterField, RowAction, Table, TableColumn, TableFilter, TableRow};
pub use tags::TagsPage;
pub use trash::{TrashEmptyPage, TrashIndexPage, TrashPurgePage, TrashRow};
pub use uploads::{UploadNewPage, UploadOutcome, UploadResultPage, UploadedFile};
pub use users::{InviteForm, MadeLink, QuotaForm, UserIndexPage, UserRow, UserShowPage, UserState};
