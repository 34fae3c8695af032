//! What the page's forms send; afterwards the page is shown again, where the form was.

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, web};
use serde_json::{Value, json};

use super::commands::{self, ChangeSnapshot, Moment, Outcome, SetApp, SetClock, Wrong};
use super::webhooks::{self, Register};
use super::workflows::{self, AddWorkflow, SetProcessing};
use super::{Console, page};
use crate::emulator::controls::Controls;

type Fields = HashMap<String, String>;

/// `POST /__emulator/AREA`.
pub(super) async fn change(
    console: web::Data<Console>,
    area: web::Path<String>,
    fields: web::Form<Fields>,
) -> HttpResponse {
    match apply(&console.controls, &area, &fields).await {
        Ok(()) => HttpResponse::SeeOther()
            .insert_header((LOCATION, format!("/__emulator/#{area}")))
            .finish(),
        Err(wrong) => {
            let status = match wrong.status {
                StatusCode::BAD_REQUEST => StatusCode::UNPROCESSABLE_ENTITY,
                status => status,
            };
            page::with_notice(&console, status, wrong.sentence).await
        }
    }
}

async fn apply(controls: &Controls, area: &str, fields: &Fields) -> Outcome<()> {
    match area {
        "calls" => controls.calls().forget(),
        "clock" => clock(fields)?.apply(controls)?,
        "faults" if text(fields, "action") == "clear" => {
            controls.faults().clear();
            controls.webhooks().clear_faults();
        }
        "faults" => commands::add_fault(controls, commands::from_json(fault(fields)?)?)?,
        "webhooks" => change_webhooks(controls, fields).await?,
        "apps" => {
            let app = SetApp {
                key: text(fields, "key").to_owned(),
                secured: text(fields, "secured") == "true",
            };
            app.apply(controls)?;
        }
        "workflows" if text(fields, "action") == "remove" => {
            workflows::remove(controls, text(fields, "id").to_owned()).await?;
        }
        "workflows" if text(fields, "action") == "processing" => {
            let seconds = text(fields, "seconds").parse();
            let seconds =
                seconds.map_err(|_| Wrong::bad("Give the time as a number of seconds, such as 3"))?;
            SetProcessing { seconds }.apply(controls)?;
        }
        "workflows" => {
            let given = |name| Some(text(fields, name).to_owned()).filter(|text| !text.is_empty());
            let add = AddWorkflow {
                id: given("id"),
                app: given("app"),
                tasks: text(fields, "tasks").to_owned(),
            };
            add.apply(controls).await?;
        }
        "snapshots" => {
            let change: ChangeSnapshot = commands::from_json(json!({
                "action": text(fields, "action"),
                "name": text(fields, "name"),
            }))?;
            change.apply(controls).await?;
        }
        "reset" => commands::reset(controls).await?,
        _ => return Err(Wrong::missing("There is no such form")),
    }
    Ok(())
}

async fn change_webhooks(controls: &Controls, fields: &Fields) -> Outcome<()> {
    let given = |name| Some(text(fields, name).to_owned()).filter(|text| !text.is_empty());
    match text(fields, "action") {
        "send_again" => webhooks::again(controls, text(fields, "id").to_owned()).await,
        "remove" => webhooks::unregister(controls, text(fields, "id").to_owned()).await,
        "add" => {
            let register = Register {
                url: text(fields, "url").to_owned(),
                secret: text(fields, "secret").to_owned(),
                app: given("app"),
                id: None,
            };
            webhooks::register(controls, register.endpoint(controls)?).await
        }
        "fail" => {
            let kind = text(fields, "kind");
            let fault = match kind {
                "late_ms" | "stale_seconds" => json!({ kind: number(fields)? }),
                _ => json!(kind),
            };
            let fault = json!({ "webhook": fault, "endpoint": given("endpoint"), "times": times(fields)? });
            webhooks::add_fault(controls, commands::from_json(fault)?)
        }
        _ => Err(Wrong::bad(
            "Webhooks can be sent again and made to fail, endpoints added and removed",
        )),
    }
}

fn clock(fields: &Fields) -> Outcome<SetClock> {
    match text(fields, "action") {
        "shift" => {
            let unit = match text(fields, "unit") {
                "minutes" => 60.0,
                "hours" => 3_600.0,
                "days" => 86_400.0,
                _ => 1.0,
            };
            let amount: f64 = text(fields, "amount")
                .parse()
                .map_err(|_| Wrong::bad("Give the shift as a number, such as 12 or -0.5"))?;
            Ok(SetClock::Shift {
                seconds: amount * unit,
            })
        }
        "freeze" => {
            let at = Some(text(fields, "at")).filter(|at| !at.is_empty());
            Ok(SetClock::Freeze {
                at: at.map(|at| Moment::Text(at.to_owned())),
            })
        }
        "resume" => Ok(SetClock::Resume {}),
        _ => Err(Wrong::bad("The clock can be shifted, frozen and resumed")),
    }
}

/// The JSON that says the same.
fn fault(fields: &Fields) -> Outcome<Value> {
    let kind = text(fields, "kind");
    let fault = match kind {
        "status" | "delay_ms" => json!({ kind: number(fields)? }),
        "cut_request" | "cut_reply" => json!({ kind: { "after": number(fields)? } }),
        "slow_body" => json!({ kind: { "bytes_per_second": number(fields)? } }),
        _ => json!(kind),
    };
    Ok(json!({ "route": text(fields, "route"), "fault": fault, "times": times(fields)? }))
}

fn number(fields: &Fields) -> Outcome<u64> {
    let sentence = "This failure needs a whole number: a status, bytes, milliseconds or seconds";
    text(fields, "number").parse().map_err(|_| Wrong::bad(sentence))
}

fn times(fields: &Fields) -> Outcome<usize> {
    match text(fields, "times") {
        "" => Ok(1),
        times => times
            .parse()
            .map_err(|_| Wrong::bad("Say how many of them fail as a whole number")),
    }
}

fn text<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.get(name).map(|text| text.trim()).unwrap_or_default()
}
