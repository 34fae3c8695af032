//! Mail: what an SMTP server on loopback is given.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use diesel::prelude::*;
use satchel::db::models::jobs::JobState;
use satchel::db::schema::documents;
use serde_json::json;

use super::scan::eicar;
use crate::hooks::sender::{SECRET, event};
use crate::support::app::TestApp;

/// A mail server of a few lines: it takes every message, or refuses them all with this code.
struct MailServer {
    address: String,
    messages: Arc<Mutex<Vec<String>>>,
}

impl MailServer {
    fn start(refusal: Option<u16>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let messages = Arc::new(Mutex::new(Vec::new()));
        let kept = messages.clone();
        // It ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = kept.clone();
                std::thread::spawn(move || serve(stream, &kept, refusal));
            }
        });
        MailServer { address, messages }
    }

    fn messages(&self) -> Vec<String> {
        self.messages.lock().expect("nobody panicked").clone()
    }
}

fn serve(stream: TcpStream, kept: &Mutex<Vec<String>>, refusal: Option<u16>) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let say = |text: &str| (&stream).write_all(format!("{text}\r\n").as_bytes()).ok();
    say("220 test ready")?;
    while let Some(Ok(line)) = lines.next() {
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
        match verb.as_str() {
            "EHLO" => say("250-test\r\n250 8BITMIME")?,
            "RCPT" if refusal.is_some() => say(&format!("{} no", refusal.unwrap_or(550)))?,
            "DATA" => {
                say("354 go on")?;
                let mut message = String::new();
                for line in lines.by_ref() {
                    let line = line.ok()?;
                    if line == "." {
                        break;
                    }
                    message.push_str(&line);
                    message.push('\n');
                }
                kept.lock().ok()?.push(message);
                say("250 taken")?;
            }
            "QUIT" => return say("221 bye"),
            _ => say("250 fine")?,
        }
    }
    None
}

async fn app_with(server: &MailServer) -> TestApp {
    TestApp::new()
        .var("SATCHEL_SMTP_URL", &format!("smtp://{}", server.address))
        .var("SATCHEL_MAIL_FROM", "satchel@example.org")
        .var("FILESTACK_WEBHOOK_SECRET", SECRET)
        .start()
        .await
}

async fn run_for_a_while(app: &TestApp) {
    for _ in 0..12 {
        app.run_jobs_however().await;
        app.advance(Duration::from_secs(10));
    }
}

fn mail_jobs(jobs: Vec<satchel::db::models::jobs::Job>) -> Vec<satchel::db::models::jobs::Job> {
    jobs.into_iter().filter(|job| job.kind == "send-mail").collect()
}

#[actix_web::test]
async fn the_owner_is_written_to_when_all_steps_have_ended() {
    let server = MailServer::start(None);
    let app = app_with(&server).await;
    app.token("ana").await.process("letter.txt", b"Dear Ben").await;
    run_for_a_while(&app).await;
    let messages = server.messages();
    assert_eq!(messages.len(), 1, "{messages:?}");
    let message = &messages[0];
    for part in [
        "To: ana@example.org",
        "From: satchel@example.org",
        "Subject: Processed: letter.txt",
        "MIME-Version: 1.0",
        "verify-file: done.",
        "/documents/",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let job = &mail_jobs(app.jobs().await)[0];
    assert_eq!(job.state, JobState::Done);
    assert!(
        message.contains(&format!("Message-ID: <{}@example.org>", job.id)),
        "{message}"
    );
}

/// Nobody asked for a check, and Filestack's workflow tells of a virus all the same, more than once.
#[actix_web::test]
async fn the_owner_is_written_to_once_when_a_webhook_finds_a_virus() {
    let server = MailServer::start(None);
    let app = app_with(&server).await;
    let (_, document) = app.somebody_with_a_document("ana").await;
    for (number, name) in [(1, "Eicar"), (2, "Other")] {
        let found = json!({"workflow": "w", "jobid": "j", "sources": [document.handle], "status": "Finished",
            "results": {"v": {"data": {"infected": true, "infections_list": [name]}}}});
        app.happen(&event(number, "fs.workflow", found)).await;
        run_for_a_while(&app).await;
    }
    let messages = server.messages();
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(
        messages[0].contains("Subject: A virus was found: "),
        "{}",
        messages[0]
    );
}

/// The webhook of the workflow comes before the job asks how far that is: both find the same.
#[actix_web::test]
async fn the_owner_is_written_to_once_when_a_webhook_and_a_job_find_the_same_virus() {
    let server = MailServer::start(None);
    let app = app_with(&server).await;
    app.token("ana").await.process("invoice.txt", &eicar()).await;
    let handle = app.documents().await[0].handle.clone();
    let found = json!({"workflow": "w", "jobid": "j", "sources": [handle], "status": "Finished",
        "results": {"v": {"data": {"infected": true, "infections_list": ["Eicar"]}}}});
    app.happen(&event(1, "fs.workflow", found)).await;
    run_for_a_while(&app).await;
    let messages = server.messages();
    let told = messages
        .iter()
        .filter(|message| message.contains("Subject: A virus was found: "));
    assert_eq!(told.count(), 1, "{messages:?}");
    let scans = app.jobs().await.into_iter().filter(|job| job.kind == "scan-file");
    assert!(scans.map(|job| job.state).eq([JobState::Done]));
}

/// No name gets so far by any way in; were it there all the same, it would be words of the message and nothing more.
#[actix_web::test]
async fn a_name_adds_no_header_and_no_message() {
    let server = MailServer::start(None);
    let app = app_with(&server).await;
    app.token("ana").await.process("letter.txt", b"Dear Ben").await;
    let hostile =
        "a\r\nBcc: eve@example.org\r\n\r\nClick here\r\n.\r\nMAIL FROM:<eve@example.org>\r\n \u{202e}ä.txt";
    let renamed = app.services.db.write(move |c| {
        Ok(diesel::update(documents::table)
            .set(documents::name.eq(hostile))
            .execute(c)?)
    });
    assert_eq!(renamed.await.expect("renamed"), 1);
    run_for_a_while(&app).await;
    let messages = server.messages();
    assert_eq!(messages.len(), 1, "{messages:?}");
    let (head, text) = messages[0].split_once("\n\n").expect("a head and a text");
    let names: Vec<&str> = head
        .lines()
        .filter(|line| !line.starts_with([' ', '\t']))
        .map(|line| line.split(':').next().unwrap_or_default())
        .collect();
    let mut usual = [
        "From",
        "To",
        "Subject",
        "Message-ID",
        "MIME-Version",
        "Date",
        "Content-Type",
        "Content-Transfer-Encoding",
    ]
    .into_iter();
    assert!(
        names.iter().all(|name| usual.clone().any(|known| known == *name)),
        "{head}"
    );
    assert!(usual.by_ref().take(3).all(|name| names.contains(&name)), "{head}");
    assert!(!text.is_empty());
}

#[actix_web::test]
async fn mail_that_is_refused_for_good_is_a_dead_letter_and_mail_that_may_pass_is_tried_again() {
    for (code, state) in [(550, JobState::Dead), (451, JobState::Waiting)] {
        let server = MailServer::start(Some(code));
        let app = app_with(&server).await;
        app.token("ana").await.process("letter.txt", b"Dear Ben").await;
        for _ in 0..4 {
            app.run_jobs_however().await;
            app.advance(Duration::from_secs(10));
        }
        let job = &mail_jobs(app.jobs().await)[0];
        assert_eq!(job.state, state, "{job:?}");
        assert!(job.reason.is_some());
        assert!(server.messages().is_empty());
    }
}

#[actix_web::test]
async fn without_a_mail_server_there_are_no_mail_jobs() {
    let app = TestApp::sqlite().await;
    app.token("ana").await.process("letter.txt", b"Dear Ben").await;
    assert!(mail_jobs(app.jobs().await).is_empty());
}
