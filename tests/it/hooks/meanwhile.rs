//! What comes about at the same moment as an event, or while Filestack is asked about it: on PostgreSQL transactions run side by side.

use std::time::Duration;

use satchel::db::models::events as event_rows;
use serde_json::json;

use super::sender::{app, event};
use crate::support::postgres::second_waits;

/// The sweep has read which events are old enough to be forgotten when somebody has one of them applied anew.
#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn an_event_that_is_applied_anew_while_it_is_being_forgotten_stays() {
    let app = app().on_postgres().start().await;
    for number in [1, 2] {
        app.happen(&event(number, "fp.new-thing", json!({}))).await;
    }
    let id = app.events().await[0].id;
    let later = app.services.clock.now().plus(Duration::from_secs(1));
    let (reopened, forgotten) = second_waits(
        &app.services.db,
        move |c| event_rows::reopen(c, id),
        move |c| event_rows::delete_older(c, later, 100),
    )
    .await;
    assert_eq!((reopened, forgotten), (true, 1));
    assert_eq!(app.only_event().await.id, id);
}
