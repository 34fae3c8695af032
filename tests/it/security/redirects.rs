//! Redirects lead to our own pages, and downloads to the CDN (D5, D6).

use satchel::db::models::users::Role;

use crate::accounts::people::{account, browser, signed_in};
use crate::support::app::{PASSWORD, TestApp};

const FOREIGN: [&str; 18] = [
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https:evil.example",
    "https://evil.example/documents",
    "%2f%2fevil.example",
    "/%09/evil.example",
    "/\t/evil.example",
    "/documents/\t/evil.example",
    "//evil.example/documents",
    "/documents//evil.example",
    "/documents@evil.example",
    "/documents.evil.example",
    "http://127.0.0.1@evil.example/documents",
    "javascript:alert(1)",
    "/documents/../../sign-out",
    "/documents\r\nSet-Cookie: planted=1",
    "/sign-out",
];

#[actix_web::test]
async fn d5_signing_in_leads_to_our_own_pages_only() {
    let app = TestApp::sqlite().await;
    let ana = account(&app, "ana@example.org", Role::Member).await;
    let mut member = signed_in(&app, &ana).await;
    for next in FOREIGN {
        let fields = [
            ("email", "ana@example.org"),
            ("password", PASSWORD),
            ("next", next),
        ];
        let entered = browser(&app).submit("/sign-in", "/sign-in", &fields);
        assert_eq!(
            (entered.status, entered.location()),
            (303, "/documents"),
            "{next:?}"
        );
        assert!(!entered.cookies().contains_key("planted"), "{next:?}");

        let query: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
        let already = member.get(&format!("/sign-in?next={query}"));
        assert_eq!(
            (already.status, already.location()),
            (303, "/documents"),
            "{next:?}"
        );
        let shown = browser(&app).get(&format!("/sign-in?next={query}")).text();
        assert!(!shown.contains("evil.example"), "{next:?} is in the form");
    }
}

#[actix_web::test]
async fn d5_the_way_to_sign_in_cannot_be_turned_into_a_way_out() {
    let app = TestApp::sqlite().await;
    let mut stranger = browser(&app);
    for target in [
        "//evil.example/documents",
        "/documents//evil.example",
        "/documents?next=//evil.example",
    ] {
        let reply = stranger.get(target);
        if let Some(location) = reply.header("location") {
            assert!(location.starts_with("/sign-in?next="), "{target}: {location}");
        }
    }
}
