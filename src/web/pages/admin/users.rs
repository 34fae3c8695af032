//! `/admin/users`: who has an account, and what administrators do about it. Each act wants the password if it was given long ago.

use actix_web::cookie::Cookie;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::Value;

use super::table::{self, Listing, Look, Turn, word_filter};
use crate::clock::UtcTime;
use crate::db::keyset::{Part, Slice};
use crate::db::models::users::{Role, Standing, User};
use crate::error::AppError;
use crate::ids::UserId;
use crate::services::passwords::{self, Link};
use crate::services::people::{self, Place, UserFilter, UserKey};
use crate::services::quotas::{self, Quota};
use crate::services::{Services, cursor, sessions};
use crate::web::AppState;
use crate::web::extract::{Admin, ConfirmedForm, Query};
use crate::web::pages::confirm::{Confirmed, confirm};
use crate::web::pages::shell::{Said, dress};
use crate::web::pages::{page, see_other, with_cookies};
use crate::web::views::{
    Cell, ColumnKind, Field, InviteForm, MadeLink, QuotaForm, Shell, Table, TableColumn, TableFilter,
    TableRow, UserIndexPage, UserRow, UserShowPage, UserState, dress_number, dress_size,
};

const USUAL_SORT: &str = "email";
const COLUMNS: &[TableColumn] = &[
    TableColumn::new("Address", ColumnKind::Wide).sorted(USUAL_SORT),
    TableColumn::new("Role", ColumnKind::Short),
    TableColumn::new("State", ColumnKind::Short),
    TableColumn::new("Documents", ColumnKind::Number),
    TableColumn::new("Size", ColumnKind::Number).sorted("-size"),
    TableColumn::new("Made", ColumnKind::Short).sorted("-created"),
];

/// The filters, in the address.
#[derive(Default, Deserialize)]
pub struct Wanted {
    #[serde(default)]
    email: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    state: String,
    #[serde(flatten)]
    turn: Turn,
}

/// Users, as filtered.
struct Everybody(UserFilter);

impl Everybody {
    fn of(wanted: &Wanted) -> Result<Self, AppError> {
        let role = match word_filter(&wanted.role) {
            None => None,
            Some(word) => Some(word.parse::<Role>().map_err(|_| unknown_filter())?),
        };
        let standing = match word_filter(&wanted.state) {
            None => None,
            Some(word) => {
                let known = Standing::ALL.into_iter().find(|known| known.as_str() == word);
                Some(known.ok_or_else(unknown_filter)?)
            }
        };
        let order = wanted.turn.order(&Everybody::LOOK)?;
        Ok(Everybody(UserFilter {
            part: word_filter(&wanted.email).map(|part| part.to_lowercase()),
            role,
            standing,
            key: match order.trim_start_matches('-') {
                "size" => UserKey::Size,
                "created" => UserKey::Created,
                _ => UserKey::Email,
            },
            descending: order.starts_with('-'),
        }))
    }

    /// The order, as a cursor names it.
    fn order(&self) -> &'static str {
        match (self.0.key, self.0.descending) {
            (UserKey::Email, false) => "email",
            (UserKey::Email, true) => "-email",
            (UserKey::Size, false) => "size",
            (UserKey::Size, true) => "-size",
            (UserKey::Created, false) => "created",
            (UserKey::Created, true) => "-created",
        }
    }
}

impl Listing for Everybody {
    type Row = User;
    type Place = Place;
    const NAME: &'static str = "users";
    const FIELDS: &'static [&'static str] = &[
        "id",
        "email",
        "role",
        "state",
        "created_at",
        "documents",
        "bytes",
        "quota_documents",
        "quota_bytes",
    ];
    const LOOK: Look = Look {
        path: "/admin/users",
        noun: "users",
        columns: COLUMNS,
        usual_sort: USUAL_SORT,
        nothing_yet: "Invite somebody.",
    };

    async fn read(
        &self,
        services: &Services,
        part: Part<Place>,
        limit: i64,
    ) -> Result<Slice<User>, AppError> {
        people::list(services, self.0.clone(), part, limit).await
    }

    fn cursor(&self, user: &User) -> String {
        cursor::encode_place(self.order(), None, &user.place(self.0.key))
    }

    fn place(&self, text: &str) -> Option<Place> {
        cursor::decode_place(self.order(), self.0.key == UserKey::Email, None, text)
    }

    fn record(&self, user: &User) -> Vec<Value> {
        let values = people::to_json(user);
        Self::FIELDS.iter().map(|field| values[*field].clone()).collect()
    }

    fn row(&self, user: &User, _: UtcTime) -> TableRow {
        let row = row(user);
        TableRow {
            id: format!("user-{}", row.id),
            cells: vec![
                Cell::Link {
                    href: format!("/admin/users/{}", row.id),
                    text: row.email.clone(),
                    note: String::new(),
                },
                Cell::Text(row.role().to_owned()),
                Cell::Mark {
                    label: row.state.label().to_owned(),
                    icon: row.state.icon(),
                    class: row.state.class(),
                    note: String::new(),
                },
                match row.quota.0 {
                    None => Cell::Number(row.kept.0),
                    Some(most) => {
                        Cell::Text(format!("{} of {}", dress_number(row.kept.0), dress_number(most)))
                    }
                },
                match row.quota.1 {
                    None => Cell::Size(row.kept.1),
                    Some(most) => Cell::Text(format!("{} of {}", dress_size(row.kept.1), dress_size(most))),
                },
                Cell::Time(user.created_at.calendar(), String::new()),
            ],
        }
    }
}

/// What was sent wrong, or was just made.
#[derive(Default)]
struct Shown {
    invite: InviteForm,
    total: Option<QuotaForm>,
    link: Option<MadeLink>,
}

/// `GET /admin/users`.
pub async fn index(
    state: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
    query: Query<Wanted>,
) -> Result<HttpResponse, AppError> {
    let wanted = query.0;
    let list = Everybody::of(&wanted)?;
    let (filters, turn) = (filters(&wanted), wanted.turn);
    let page_of = async |shell, table| shown(&state, shell, table, Shown::default()).await;
    table::answer(&state, &request, &admin, Ok(list), turn, filters, page_of).await
}

fn filters(wanted: &Wanted) -> Vec<TableFilter> {
    let states = UserState::ALL
        .into_iter()
        .zip(Standing::ALL)
        .map(|(state, standing)| (standing.as_str(), state.label()))
        .collect();
    let roles = vec![("admin", "Administrator"), ("member", "Member")];
    vec![
        TableFilter::text(
            "email",
            "Address, or a part of it",
            &wanted.email,
            "ana@example.org",
        ),
        TableFilter::choice("role", "Role", &wanted.role, roles),
        TableFilter::choice("state", "State", &wanted.state, states),
    ]
}

/// The page with this table.
async fn shown(
    state: &AppState,
    shell: Shell,
    table: Table,
    shown: Shown,
) -> Result<UserIndexPage, AppError> {
    let (total, kept) = quotas::total(&state.services).await?;
    Ok(UserIndexPage {
        shell,
        table,
        kept: (kept.documents, kept.bytes),
        counted_at: kept.counted_at.map(UtcTime::calendar),
        total: shown
            .total
            .unwrap_or_else(|| QuotaForm::of(total.bytes, total.documents)),
        invite: shown.invite,
        link: shown.link,
    })
}

/// `POST /admin/users`: invites somebody.
pub async fn create(
    state: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
    data: ConfirmedForm,
) -> Result<HttpResponse, AppError> {
    let cookie = match confirm(&state, &request, &admin.0, &data.0).await? {
        Confirmed::Yes(cookie) => cookie,
        Confirmed::Ask(response) => return Ok(response),
    };
    let role = role_of(&data)?;
    let invited = passwords::invite(&state.services, &admin.actor(), data.value("email"), role).await;
    let mut shown = Shown::default();
    let status = match invited {
        Ok(link) => {
            shown.link = Some(made(&state, link));
            StatusCode::CREATED
        }
        Err(AppError::Fields(fields)) => {
            shown.invite = InviteForm {
                email: Field {
                    value: data.value("email").to_owned(),
                    error: fields.into_iter().next().map(|(_, sentence)| sentence),
                },
                is_admin: role == Role::Admin,
            };
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Err(error) => return Err(error),
    };
    answered(&request, &state, &admin, status, shown, cookie).await
}

/// `POST /admin/quota`: what everybody together may keep.
pub async fn set_total(
    state: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
    data: ConfirmedForm,
) -> Result<HttpResponse, AppError> {
    let cookie = match confirm(&state, &request, &admin.0, &data.0).await? {
        Confirmed::Yes(cookie) => cookie,
        Confirmed::Ask(response) => return Ok(response),
    };
    match quota_of(&data) {
        Ok(quota) => {
            quotas::set_total(&state.services, &admin.actor(), quota).await?;
            Ok(with_cookies(
                see_other("/admin/users").finish(),
                [cookie, Some(Said::QuotaSet.cookie())],
            ))
        }
        Err(form) => {
            let shown = Shown {
                total: Some(form),
                ..Shown::default()
            };
            answered(
                &request,
                &state,
                &admin,
                StatusCode::UNPROCESSABLE_ENTITY,
                shown,
                cookie,
            )
            .await
        }
    }
}

/// The page after something was sent to it: with what was made, or with what is wrong.
async fn answered(
    request: &HttpRequest,
    state: &AppState,
    admin: &Admin,
    status: StatusCode,
    sent: Shown,
    cookie: Option<Cookie<'static>>,
) -> Result<HttpResponse, AppError> {
    let wanted = Wanted::default();
    let list = Everybody::of(&wanted)?;
    let mut dressed = dress(request, state, Some(admin.user()));
    if let Some(cookie) = &cookie {
        dressed.shell.csrf = crate::web::extract::csrf_token_of(state, cookie.value());
    }
    let filters = filters(&wanted);
    let table = table::table(&state.services, &list, wanted.turn, filters, &dressed.shell).await?;
    let index = shown(state, dressed.shell, table, sent).await?;
    let response = with_cookies(page(status, &index)?, dressed.cookies);
    Ok(with_cookies(response, [cookie]))
}

/// `GET /admin/users/{id}`.
pub async fn show(
    state: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
    id: web::Path<String>,
) -> Result<HttpResponse, AppError> {
    let user = people::get(&state.services, parsed(&id)?).await?;
    one(&state, &request, &admin, StatusCode::OK, &user, None, None, None)
}

/// `POST /admin/users/{id}/role`.
pub async fn set_role(
    state: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
    id: web::Path<String>,
    data: ConfirmedForm,
) -> Result<HttpResponse, AppError> {
    let id = parsed(&id)?;
    let cookie = match confirm(&state, &request, &admin.0, &data.0).await? {
        Confirmed::Yes(cookie) => cookie,
        Confirmed::Ask(response) => return Ok(response),
    };
    people::set_role(&state.services, &admin.actor(), id, role_of(&data)?).await?;
    Ok(done(id, Said::RoleSet, cookie))
}

/// `POST /admin/users/{id}/state`: disables an account, or enables it.
pub async fn set_state(
    state: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
    id: web::Path<String>,
    data: ConfirmedForm,
) -> Result<HttpResponse, AppError> {
    let id = parsed(&id)?;
    let cookie = match confirm(&state, &request, &admin.0, &data.0).await? {
        Confirmed::Yes(cookie) => cookie,
        Confirmed::Ask(response) => return Ok(response),
    };
    let (enabled, said) = match data.value("state") {
        "enabled" => (true, Said::UserEnabled),
        "disabled" => (false, Said::UserDisabled),
        _ => return Err(unknown()),
    };
    people::set_enabled(&state.services, &admin.actor(), id, enabled).await?;
    Ok(done(id, said, cookie))
}

/// `POST /admin/users/{id}/quota`.
pub async fn set_quota(
    state: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
    id: web::Path<String>,
    data: ConfirmedForm,
) -> Result<HttpResponse, AppError> {
    let id = parsed(&id)?;
    let cookie = match confirm(&state, &request, &admin.0, &data.0).await? {
        Confirmed::Yes(cookie) => cookie,
        Confirmed::Ask(response) => return Ok(response),
    };
    match quota_of(&data) {
        Ok(quota) => {
            quotas::set(&state.services, &admin.actor(), id, quota).await?;
            Ok(done(id, Said::QuotaSet, cookie))
        }
        Err(form) => {
            let user = people::get(&state.services, id).await?;
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            let answer = one(
                &state,
                &request,
                &admin,
                status,
                &user,
                Some(form),
                None,
                cookie.as_ref(),
            )?;
            Ok(with_cookies(answer, [cookie]))
        }
    }
}

/// `POST /admin/users/{id}/password`: makes a link with which the user chooses another password.
pub async fn reset_password(
    state: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
    id: web::Path<String>,
    data: ConfirmedForm,
) -> Result<HttpResponse, AppError> {
    let id = parsed(&id)?;
    let cookie = match confirm(&state, &request, &admin.0, &data.0).await? {
        Confirmed::Yes(cookie) => cookie,
        Confirmed::Ask(response) => return Ok(response),
    };
    let link = passwords::reset(&state.services, &admin.actor(), id).await?;
    let user = link.user.clone();
    let link = made(&state, link);
    let answer = one(
        &state,
        &request,
        &admin,
        StatusCode::CREATED,
        &user,
        None,
        Some(link),
        cookie.as_ref(),
    )?;
    Ok(with_cookies(answer, [cookie]))
}

/// `POST /admin/users/{id}/sessions`: ends all sessions of a user.
pub async fn end_sessions(
    state: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
    id: web::Path<String>,
    data: ConfirmedForm,
) -> Result<HttpResponse, AppError> {
    let id = parsed(&id)?;
    let cookie = match confirm(&state, &request, &admin.0, &data.0).await? {
        Confirmed::Yes(cookie) => cookie,
        Confirmed::Ask(response) => return Ok(response),
    };
    let user = people::get(&state.services, id).await?;
    sessions::end_others(&state.services, &admin.actor(), &user, None).await?;
    Ok(done(id, Said::SessionsEnded, cookie))
}

#[expect(
    clippy::too_many_arguments,
    reason = "what a page shows, and what was just done"
)]
fn one(
    state: &AppState,
    request: &HttpRequest,
    admin: &Admin,
    status: StatusCode,
    user: &User,
    quota: Option<QuotaForm>,
    link: Option<MadeLink>,
    renewed: Option<&Cookie<'static>>,
) -> Result<HttpResponse, AppError> {
    let mut dressed = dress(request, state, Some(admin.user()));
    if let Some(cookie) = renewed {
        dressed.shell.csrf = crate::web::extract::csrf_token_of(state, cookie.value());
    }
    let one = UserShowPage {
        shell: dressed.shell,
        row: row(user),
        is_self: user.id == admin.user().id,
        created_at: user.created_at.calendar(),
        reserved: (user.reserved_documents, user.reserved_bytes),
        quota: quota.unwrap_or_else(|| QuotaForm::of(user.quota_bytes, user.quota_documents)),
        link,
    };
    Ok(with_cookies(page(status, &one)?, dressed.cookies))
}

fn row(user: &User) -> UserRow {
    UserRow {
        id: user.id.to_string(),
        email: user.email.clone(),
        is_admin: user.role == Role::Admin,
        state: match user.standing() {
            Standing::Active => UserState::Active,
            Standing::Invited => UserState::Invited,
            Standing::Disabled => UserState::Disabled,
        },
        kept: (user.document_count, user.stored_bytes),
        quota: (user.quota_documents, user.quota_bytes),
    }
}

fn made(state: &AppState, link: Link) -> MadeLink {
    let base = state.settings.public_url.as_str().trim_end_matches('/');
    MadeLink {
        email: link.user.email,
        url: format!("{base}{}", passwords::path_of(&link.token)),
        mailed: link.mailed,
    }
}

fn done(id: UserId, said: Said, cookie: Option<Cookie<'static>>) -> HttpResponse {
    with_cookies(
        see_other(&format!("/admin/users/{id}")).finish(),
        [cookie, Some(said.cookie())],
    )
}

fn parsed(id: &str) -> Result<UserId, AppError> {
    id.parse().map_err(|_| AppError::NotFound)
}

fn role_of(data: &ConfirmedForm) -> Result<Role, AppError> {
    data.value("role").parse().map_err(|_| unknown())
}

fn unknown_filter() -> AppError {
    AppError::invalid(
        "invalid-filter",
        "Users are filtered by a part of their address, a role and a state. Choose the last two from the lists.",
    )
}

fn unknown() -> AppError {
    AppError::invalid(
        "invalid-form",
        "The form cannot be read or lacks a field. Reload the page, then send it again.",
    )
}

/// Mebibytes and a number, each empty for no bound; else the form with what is wrong.
fn quota_of(data: &ConfirmedForm) -> Result<Quota, QuotaForm> {
    const MIB: i64 = 1 << 20;
    let number = |field: &str, most: i64| match data.value(field).trim() {
        "" => Ok(None),
        text => {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            let number = text
                .parse::<i64>()
                .ok()
                .filter(|number| digits && *number <= most);
            number
                .map(Some)
                .ok_or_else(|| format!("Enter a whole number from 0 to {most}, or nothing for no bound."))
        }
    };
    let (bytes, documents) = (number("mebibytes", i64::MAX / MIB), number("documents", i64::MAX));
    match (bytes, documents) {
        (Ok(mebibytes), Ok(documents)) => Ok(Quota {
            bytes: mebibytes.map(|number| number * MIB),
            documents,
        }),
        (bytes, documents) => Err(QuotaForm {
            mebibytes: Field {
                value: data.value("mebibytes").to_owned(),
                error: bytes.err(),
            },
            documents: Field {
                value: data.value("documents").to_owned(),
                error: documents.err(),
            },
        }),
    }
}
