//! `/admin/users`: its filters, orders, pages and files.

use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use satchel::db::DbConn;
use satchel::db::keyset::Part;
use satchel::db::models::users::listing::{self, UserFilter, UserKey};
use satchel::db::models::users::{self, NewUser, Role};
use satchel::ids::UserId;
use satchel::services::statistics;

use crate::support::app::TestApp;

/// Somebody of the crowd.
#[derive(Clone, Debug)]
struct Somebody {
    email: String,
    bytes: i64,
    row: String,
}

/// So many members, a second after one another: each address twelfth of its domain, and few sizes, so that the id decides.
async fn crowd(app: &TestApp, count: i64) -> Vec<Somebody> {
    let mut made = Vec::new();
    for n in 0..count {
        app.advance(Duration::from_secs(1));
        let now = app.services.clock.now();
        let (id, bytes) = (UserId::new(now), n % 5);
        // Not in the order in which they are made.
        let email = format!("u{:03}@d{}.example.org", n * 77 % 1_000, n % 10);
        let user = NewUser {
            id,
            email: email.clone(),
            password_hash: String::new(),
            role: Role::Member,
            created_at: now,
        };
        let added = app.services.db.write(move |c| {
            users::insert(c, user)?;
            users::add_usage(c, id, 1, bytes)
        });
        added.await.expect("a user");
        made.push(Somebody {
            email,
            bytes,
            row: format!("user-{id}"),
        });
    }
    made
}

fn rows<'a>(users: impl IntoIterator<Item = &'a Somebody>) -> Vec<String> {
    users.into_iter().map(|user| user.row.clone()).collect()
}

async fn users_are_filtered_sorted_and_walked(app: TestApp) {
    let admin = app.admin().await;
    let me = format!("user-{}", app.owner("admin").await.id);
    let made = crowd(&app, 120).await;
    let mut by_size = made.clone();
    by_size.sort_by_key(|user| (user.bytes, user.row.clone()));
    let mut by_address = made.clone();
    by_address.sort_by_key(|user| user.email.clone());
    for (key, wanted) in [("created", &made), ("size", &by_size), ("email", &by_address)] {
        // Those of the crowd: the administrator has no such address.
        let path = format!("/admin/users?email=.Example.ORG&sort={key}");
        assert_eq!(admin.walked(&path).await, rows(wanted), "{key}");
        let turned: Vec<String> = rows(wanted.iter().rev());
        let path = format!("/admin/users?email=.example.org&sort=-{key}");
        assert_eq!(admin.walked(&path).await, turned, "-{key}");
        let file = admin.get(&format!("{path}&format=json")).await.json();
        let ids: Vec<String> = file
            .as_array()
            .expect("a list")
            .iter()
            .map(|user| format!("user-{}", user["id"].as_str().expect("an id")))
            .collect();
        assert_eq!(ids, turned, "-{key} as a file");
        let page = admin.page(&path).await;
        assert_eq!(page.attributes("th[aria-sort]", "aria-sort"), ["descending"]);
        let second = page.attributes("a[rel=next]", "href").pop().expect("more");
        let back = admin.page(&second).await.attributes("a[rel=prev]", "href").pop();
        let first = admin.page(&back.expect("a way back")).await;
        assert_eq!(first.attributes("tbody tr", "id"), turned[..50], "-{key}");
        // A cursor of one order is none of another.
        let cursor = second.split("after=").nth(1).expect("a cursor");
        let odd = admin
            .get(&format!("/admin/users?sort={key}&after={cursor}"))
            .await;
        assert_eq!(odd.status, 400, "{key}");
    }
    let page = admin.page("/admin/users").await;
    assert_eq!(
        page.attributes("tbody tr", "id")[0],
        me,
        "by address, from a to z"
    );
    assert_eq!(
        page.attributes("th a.sort", "href"),
        [
            "/admin/users?sort=-email",
            "/admin/users?sort=-size",
            "/admin/users?sort=-created"
        ]
    );

    // A part from the middle; what is special in a pattern stands for itself.
    let some: Vec<&Somebody> = by_address
        .iter()
        .filter(|user| user.email.contains("@d7."))
        .collect();
    assert_eq!(admin.walked("/admin/users?email=%20@D7.%20").await, rows(some));
    for nobodys in ["%25", "_", "%5C", "u%25@", "%00", "%27%20OR%201%3D1--"] {
        let page = admin.page(&format!("/admin/users?email={nobodys}")).await;
        assert_eq!(
            (page.status, page.attributes("tbody tr", "id").len()),
            (200, 0),
            "{nobodys}"
        );
        assert!(page.texts("h2").concat().contains("No such users"));
    }

    // Roles and states, each with the others.
    let id = |user: &Somebody| user.row.trim_start_matches("user-").to_owned();
    let (promoted, disabled) = (&made[3], &made[4]);
    let sent = admin
        .post_form(
            &format!("/admin/users/{}/role", id(promoted)),
            &[("role", "admin")],
        )
        .await;
    assert_eq!(sent.status, 303);
    let sent = admin
        .post_form(
            &format!("/admin/users/{}/state", id(disabled)),
            &[("state", "disabled")],
        )
        .await;
    assert_eq!(sent.status, 303);
    let sent = admin
        .post_form(
            "/admin/users",
            &[("email", "guest@example.org"), ("role", "admin")],
        )
        .await;
    assert_eq!(sent.status, 201);
    let guest = format!("user-{}", app.owner("guest").await.id);
    for (filter, wanted) in [
        ("role=admin", vec![&me, &guest, &promoted.row]),
        ("role=admin&sort=-size", vec![&promoted.row, &guest, &me]),
        ("role=admin&state=active", vec![&me, &promoted.row]),
        ("state=invited", vec![&guest]),
        ("state=invited&sort=-created", vec![&guest]),
        ("state=disabled&sort=size", vec![&disabled.row]),
        ("state=disabled&role=admin", vec![]),
        ("state=disabled&role=member&email=u3", vec![&disabled.row]),
    ] {
        let found = admin.walked(&format!("/admin/users?{filter}")).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), wanted, "{filter}");
    }
    assert_eq!(admin.walked("/admin/users?role=member").await.len(), 119);
    assert_eq!(admin.walked("/admin/users?state=active").await.len(), 120);

    // Disabled and not invited again: it counts as disabled alone.
    let page = admin.page("/admin/users?state=disabled").await;
    assert_eq!(page.texts("tbody .status"), ["Disabled"]);
    assert_eq!(page.attributes(".chip", "href"), ["/admin/users"]);
    let link = page.attributes("tbody th a", "href").pop().expect("a link");
    assert_eq!(admin.get(&link).await.status, 200);
}

#[actix_web::test]
async fn users_are_filtered_sorted_and_walked_on_sqlite() {
    users_are_filtered_sorted_and_walked(TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn users_are_filtered_sorted_and_walked_on_postgres() {
    users_are_filtered_sorted_and_walked(TestApp::postgres().await).await;
}

/// A part that few have is looked up, one that very many have is met along the order, and both find the same as looking at each address,
/// also those of accounts that were there before the index was.
async fn parts_of_addresses_are_found_however_many_have_them(app: TestApp) {
    let now = app.services.clock.now();
    let found = app.services.db.write(move |c| {
        // As it was when there was no index, and as the migration then makes it of what there is.
        let (up, down) = match c {
            DbConn::Postgres(_) => (
                include_str!(
                    "../../../migrations/postgres/2026-11-27-220000_index_parts_of_addresses/up.sql"
                ),
                include_str!(
                    "../../../migrations/postgres/2026-11-27-220000_index_parts_of_addresses/down.sql"
                ),
            ),
            DbConn::Sqlite(_) => (
                include_str!("../../../migrations/sqlite/2026-11-27-220000_index_parts_of_addresses/up.sql"),
                include_str!(
                    "../../../migrations/sqlite/2026-11-27-220000_index_parts_of_addresses/down.sql"
                ),
            ),
        };
        c.batch_execute(down)?;
        let mut all = Vec::new();
        for n in 0..600_i64 {
            if n == 300 {
                c.batch_execute(up)?;
            }
            let (id, domain) = (UserId::new(now), if n % 100 == 7 { "r\u{e4}re" } else { "many" });
            let user = NewUser {
                id,
                email: format!("o'{n:03}\"_%@{domain}.example.org"),
                password_hash: String::new(),
                role: Role::Member,
                created_at: now,
            };
            all.push(user.email.clone());
            users::insert(c, user)?;
            users::add_usage(c, id, 1, n * 7 % 600)?;
        }
        // An address that changes is found by the new one alone.
        c.batch_execute("UPDATE users SET email = 'was-o''000@example.org' WHERE email LIKE 'o''000%'")?;
        all[0] = "was-o'000@example.org".to_owned();
        let mut found = Vec::new();
        for part in [
            "@many.",
            "@r\u{e4}re.",
            "o'0",
            "o'000\"",
            "123",
            "23",
            "\"_%@",
            "o'123\"_%@many.example.org",
            "nobody",
            "\u{fffd}\u{fffd}\u{fffd}",
            "\" OR \"",
            "NOT",
        ] {
            let mut wanted: Vec<(usize, &String)> = all
                .iter()
                .enumerate()
                .filter(|(_, email)| email.contains(part))
                .collect();
            let filter = |key| UserFilter {
                part: Some(part.to_owned()),
                role: None,
                standing: None,
                key,
                descending: true,
            };
            let mut listed = |key| -> Result<Vec<String>, satchel::db::DbError> {
                Ok(listing::list(c, &filter(key), &Part::First, 51)?
                    .into_iter()
                    .map(|user| user.email)
                    .collect())
            };
            wanted.sort_by_key(|(n, _)| std::cmp::Reverse(n * 7 % 600));
            let by_size: Vec<String> = wanted
                .iter()
                .take(51)
                .map(|(_, email)| (*email).clone())
                .collect();
            wanted.sort_by_key(|(_, email)| std::cmp::Reverse(*email));
            let by_address: Vec<String> = wanted
                .iter()
                .take(51)
                .map(|(_, email)| (*email).clone())
                .collect();
            found.push((
                part,
                listed(UserKey::Size)?,
                by_size,
                listed(UserKey::Email)?,
                by_address,
            ));
        }
        Ok(found)
    });
    for (part, by_size, wanted_by_size, by_address, wanted_by_address) in found.await.expect("lists") {
        assert_eq!(by_size, wanted_by_size, "{part} by size");
        assert_eq!(by_address, wanted_by_address, "{part} by address");
    }
}

#[actix_web::test]
async fn parts_of_addresses_are_found_however_many_have_them_on_sqlite() {
    parts_of_addresses_are_found_however_many_have_them(TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn parts_of_addresses_are_found_however_many_have_them_on_postgres() {
    parts_of_addresses_are_found_however_many_have_them(TestApp::postgres().await).await;
}

/// What many users keep is what the last minute's count says; without a count it is summed.
async fn what_many_keep_is_read_as_it_was_counted(app: TestApp) {
    let admin = app.admin().await;
    let kept = async || admin.page("/admin/users").await.texts(".count").concat();
    crowd(&app, 2).await;
    assert_eq!(kept().await, "All together keep 2 documents with 1 byte");
    let now = app.services.clock.now();
    let added = app.services.db.write(move |c| {
        for n in 0..501 {
            let id = UserId::new(now);
            let user = NewUser {
                id,
                email: format!("many{n}@example.org"),
                password_hash: String::new(),
                role: Role::Member,
                created_at: now,
            };
            users::insert(c, user)?;
            users::add_usage(c, id, 1, 2)?;
        }
        Ok(())
    });
    added.await.expect("many users");
    let summed = kept().await;
    // 1 + 501 × 2 bytes.
    assert_eq!(summed, "All together keep 503 documents with 1,003 bytes");
    app.advance(Duration::from_secs(60));
    statistics::gather(&app.services).await.expect("a count");
    let counted = kept().await;
    assert!(counted.starts_with(&format!("{summed}, counted ")), "{counted}");
    assert!(counted.ends_with(" UTC"), "{counted}");
    // The next count has what is new since.
    let owner = app.owner("admin").await.id;
    let more = app.services.db.write(move |c| users::add_usage(c, owner, 1, 0));
    more.await.expect("one more");
    assert_eq!(kept().await, counted);
    app.advance(Duration::from_secs(60));
    statistics::gather(&app.services).await.expect("a count");
    assert!(kept().await.contains(" keep 504 documents "));
}

#[actix_web::test]
async fn what_many_keep_is_read_as_it_was_counted_on_sqlite() {
    what_many_keep_is_read_as_it_was_counted(TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn what_many_keep_is_read_as_it_was_counted_on_postgres() {
    what_many_keep_is_read_as_it_was_counted(TestApp::postgres().await).await;
}

#[actix_web::test]
async fn x5_an_odd_filter_order_or_cursor_of_users_is_told_and_members_see_nothing() {
    let app = TestApp::sqlite().await;
    let admin = app.admin().await;
    for odd in [
        "role=owner",
        "role=admin'--",
        "state=asleep",
        "sort=documents",
        "sort=role",
        "sort=--email",
        "after=1",
        "before=W10",
        "format=xml",
    ] {
        let answer = admin.get(&format!("/admin/users?{odd}")).await;
        assert_eq!(answer.status, 400, "{odd}");
    }
    let ana = app.user("ana").await;
    for path in ["/admin/users", "/admin/users?format=csv"] {
        assert_eq!(ana.get(path).await.status, 403);
    }
    let file = admin.get("/admin/users?email=ana&format=csv").await;
    assert_eq!(
        file.header("content-disposition"),
        Some("attachment; filename=\"satchel-users.csv\"")
    );
    let text = file.text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "id,email,role,state,created_at,documents,bytes,quota_documents,quota_bytes"
    );
    assert!(lines[1].contains(",ana@example.org,member,active,"), "{text}");
    assert_eq!(lines.len(), 2);
    assert!(!text.contains("argon2"), "no password's hash leaves the database");
}
