//! Promise 3: whatever the order and the number in which events arrive, they end in the same state.
//!
//! A history is a set of events about documents, crashed uploads and files of nobody's. It is delivered in order and once, then, to the
//! same rows, shuffled and doubled; dropped events come at last, as a retry does. What is left must be the same.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use satchel::db::models::events::Event;
use satchel::db::models::uploads::UploadState;
use satchel::db::models::{findings, results as result_rows};
use satchel::services::results;
use serde_json::{Value, json};

use super::sender::{app, event, uploaded, url_of};
use crate::support::app::TestApp;

/// What can happen to one of the files.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Upload,
    Delete,
    Overwrite,
    Converse,
    Clean,
    Infected,
    Video,
    Unknown,
}

const KINDS: [Kind; 8] = [
    Kind::Upload,
    Kind::Delete,
    Kind::Overwrite,
    Kind::Converse,
    Kind::Clean,
    Kind::Infected,
    Kind::Video,
    Kind::Unknown,
];

/// A file: a document's, a crashed upload's, or nobody's.
struct File {
    handle: String,
    key: String,
}

/// The three files of a world, alike in every world but for ids and handles.
async fn files(app: &TestApp) -> Vec<File> {
    let (_, document) = app.somebody_with_a_document("ana").await;
    let id = document.id;
    let now = app.services.clock.now();
    let expected = app
        .services
        .db
        .write(move |c| results::expect(c, id, results::VIDEO, "video0", now));
    expected.await.expect("an expected video");
    let stray = app
        .crashed_upload("ana", "stray.txt", b"stray", UploadState::Started, None)
        .await;
    // What the upload left behind by itself is none of the history.
    app.apply_events().await;
    let path = format!("user-uploads/{}/{}/0_a.txt", document.owner_id, document.id);
    vec![
        File {
            handle: document.handle,
            key: path,
        },
        File {
            handle: stray.handle.as_str().to_owned(),
            key: stray.key,
        },
        File {
            handle: "NobodysFile123456789".to_owned(),
            key: "elsewhere/x".to_owned(),
        },
    ]
}

fn body(index: usize, kind: Kind, number: usize, file: &File) -> Value {
    // Far from the numbers of the emulator's own events.
    let id = index as i64 + 1;
    // Which of two ended last is told by the one, by the other, or by neither.
    let ended = [
        "2026-11-24T10:00:01Z",
        "2026-11-24T10:00:00.5Z",
        "2026-11-24T10:00:00.5Z",
        "-",
    ][index % 4];
    let workflow = |infected: bool| {
        json!({"workflow": "w", "jobid": "j", "sources": [file.handle], "status": "Finished", "updatedAt": ended, "results": {
            "v": {"data": {"infected": infected, "infections_list": if infected { vec![format!("Virus{number}")] } else { Vec::new() }}},
            "s": {"data": {"sfw": number == 0}},
            "t": {"data": {"tags": {"auto": {format!("tag{index}"): 90}}}}}})
    };
    match kind {
        Kind::Upload => event(id, "fp.upload", uploaded(&file.handle, &file.key)),
        Kind::Delete => event(id, "fp.delete", url_of(&file.handle)),
        Kind::Overwrite => event(id, "fp.overwrite", url_of(&file.handle)),
        Kind::Converse => event(
            id,
            "fp.converse",
            json!({"url": format!("/resize=w:1/{}", file.handle), "link": {"handle": format!("Made{number}{}", &file.handle[..6]), "filename": "m"}}),
        ),
        Kind::Clean => event(id, "fs.workflow", workflow(false)),
        Kind::Infected => event(id, "fs.workflow", workflow(true)),
        Kind::Video => json!({"status": "completed", "uuid": format!("video{number}"),
            "data": {"url": format!("https://cdn.filestackcontent.com/Video{number}")}, "metadata": {"result": {}}}),
        Kind::Unknown => event(id, "fp.something", json!({"n": number})),
    }
}

/// What must be the same: documents, what belongs to them, what their owner is charged for, and each event once with its end.
async fn state(app: &TestApp) -> Vec<String> {
    let mut lines = Vec::new();
    for document in app.documents().await {
        let id = document.id;
        let found = app
            .services
            .db
            .run(move |c| findings::list(c, id))
            .await
            .expect("rows");
        let made = app
            .services
            .db
            .run(move |c| result_rows::list(c, id))
            .await
            .expect("rows");
        let mut made: Vec<_> = made
            .iter()
            .map(|made| format!("{} {:?} {}", made.kind, made.handle, made.state))
            .collect();
        made.sort();
        let found: Vec<_> = found
            .iter()
            .map(|found| format!("{}={}", found.kind, found.value))
            .collect();
        lines.push(format!(
            "{} {} {} {} {found:?} {made:?}",
            document.name, document.status, document.size_bytes, document.content_type
        ));
    }
    lines.sort();
    let owner = app.owner("ana").await;
    lines.push(format!(
        "{} documents, {} bytes",
        owner.document_count, owner.stored_bytes
    ));
    let intents = app.intents().await;
    let mut intents: Vec<_> = intents
        .iter()
        .map(|intent| format!("{} {}", intent.name, intent.state))
        .collect();
    intents.sort();
    lines.extend(intents);
    let known = |event: &Event| event.filestack_id.is_none_or(|number| number < 1_000);
    let events: BTreeMap<String, String> = app
        .events()
        .await
        .into_iter()
        .filter(known)
        .map(|event| {
            let label = event
                .filestack_id
                .map_or_else(|| event.dedupe_key.clone(), |number| number.to_string());
            (label, format!("{} {}", event.action, event.state))
        })
        .collect();
    lines.extend(events.into_iter().map(|(label, line)| format!("{label} {line}")));
    lines
}

async fn play(
    app: &TestApp,
    files: &[File],
    history: &[(Kind, usize, usize)],
    order: &[usize],
    together: bool,
) {
    for index in order {
        let (kind, number, file) = history[*index];
        let body = body(*index, kind, number, &files[file]);
        if together {
            app.deliver(&body).await;
        } else {
            app.happen(&body).await;
        }
    }
    app.apply_events().await;
}

/// A history, the order of its second telling (with repetitions and with gaps), and whether that is applied at once or at the end.
fn histories() -> impl Strategy<Value = (Vec<(Kind, usize, usize)>, Vec<usize>, bool)> {
    prop::collection::vec((0..KINDS.len(), 0..2_usize, 0..3_usize), 1..9).prop_flat_map(|drawn| {
        let history: Vec<_> = drawn
            .into_iter()
            .map(|(kind, number, file)| (KINDS[kind], number, file))
            .collect();
        let count = history.len();
        (
            Just(history),
            prop::collection::vec(0..count, 0..2 * count),
            any::<bool>(),
        )
    })
}

fn check(cases: u32, postgres: bool) {
    let mut runner = TestRunner::new(Config {
        cases,
        max_shrink_iters: 20,
        ..Config::default()
    });
    let outcome = runner.run(&histories(), |(history, mut order, together)| {
        // What was dropped comes as Filestack's last retry.
        for index in 0..history.len() {
            if !order.contains(&index) {
                order.push(index);
            }
        }
        let (once, again) = actix_web::rt::System::new().block_on(async {
            let world = async |order: &[usize], together: bool| {
                let setup = if postgres { app().on_postgres() } else { app() };
                let app = setup.start().await;
                let files = files(&app).await;
                play(&app, &files, &history, order, together).await;
                let mut lines = state(&app).await;
                for line in &mut lines {
                    for (number, file) in files.iter().enumerate() {
                        *line = line
                            .replace(&file.handle, &format!("file {number}"))
                            .replace(&file.handle[..6], &format!("of {number}"));
                    }
                }
                lines
            };
            let in_order: Vec<_> = (0..history.len()).collect();
            (world(&in_order, false).await, world(&order, together).await)
        });
        prop_assert_eq!(once, again);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[test]
fn s3_promise_3_any_order_and_number_of_events_ends_in_the_same_state() {
    check(24, false);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn s3_promise_3_any_order_and_number_of_events_ends_in_the_same_state_on_postgres() {
    check(8, true);
}
