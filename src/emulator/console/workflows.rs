//! Workflows (§8) on the control surface, and how long they and conversions of film take.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Console;
use super::api::{Reply, query, read};
use super::commands::{self, Outcome, Wrong};
use crate::emulator::controls::Controls;
use crate::emulator::ids;
use crate::emulator::workflows::Workflow;

/// Nobody means to wait longer than this.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

type State = web::Data<Console>;

/// `GET /api/workflows`.
pub(super) async fn index(console: State) -> HttpResponse {
    let workflows = console.controls.workflows().all();
    let workflows: Vec<Value> = workflows.iter().map(shown).collect();
    HttpResponse::Ok().json(json!({ "workflows": workflows }))
}

fn shown(workflow: &Workflow) -> Value {
    json!({
        "id": workflow.id,
        "app": workflow.app,
        "tasks": workflow.tasks(),
        "results": workflow.steps.iter().map(|step| step.name.as_str()).collect::<Vec<_>>(),
    })
}

/// A workflow to add.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AddWorkflow {
    /// A new one when it is not said.
    #[serde(default)]
    pub(super) id: Option<String>,
    /// The first application when it is not said.
    #[serde(default)]
    pub(super) app: Option<String>,
    pub(super) tasks: String,
}

impl AddWorkflow {
    pub(super) async fn apply(self, controls: &Controls) -> Outcome<Workflow> {
        let id = self.id.unwrap_or_else(ids::uuid);
        let workflow = Workflow::new(&id, &self.tasks).map_err(Wrong::bad)?;
        let workflow = match &self.app {
            Some(key) => workflow.of_app(key),
            None => workflow,
        };
        let workflows = controls.workflows().clone();
        commands::blocking(move || workflows.add(workflow)).await
    }
}

/// Removes an added workflow.
pub(super) async fn remove(controls: &Controls, id: String) -> Outcome<()> {
    let workflows = controls.workflows().clone();
    let text = "There is no added workflow with this id; those of the start stay";
    match commands::blocking(move || workflows.remove(&id)).await? {
        true => Ok(()),
        false => Err(Wrong::missing(text)),
    }
}

/// `POST /api/workflows`.
pub(super) async fn create(req: HttpRequest, console: State, body: web::Bytes) -> Reply {
    let workflow = read::<AddWorkflow>(&req, &body)?.apply(&console.controls).await?;
    Ok(HttpResponse::Created().json(shown(&workflow)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RemoveQuery {
    id: String,
}

/// `DELETE /api/workflows?id=UUID`.
pub(super) async fn destroy(req: HttpRequest, console: State) -> Reply {
    let RemoveQuery { id } = query(&req)?;
    remove(&console.controls, id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// How long work takes that ends later.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SetProcessing {
    pub(super) seconds: f64,
}

impl SetProcessing {
    pub(super) fn apply(&self, controls: &Controls) -> Outcome<()> {
        let time = Duration::try_from_secs_f64(self.seconds).ok();
        let time = time.filter(|time| *time <= LONGEST);
        let wrong = || Wrong::bad("Say how long it takes as seconds, from 0 to 86400");
        controls.set_processing_time(time.ok_or_else(wrong)?);
        Ok(())
    }
}

fn processing(controls: &Controls) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "seconds": controls.processing_time().as_secs_f64() }))
}

/// `GET /api/processing`.
pub(super) async fn show_processing(console: State) -> HttpResponse {
    processing(&console.controls)
}

/// `POST /api/processing`.
pub(super) async fn set_processing(req: HttpRequest, console: State, body: web::Bytes) -> Reply {
    read::<SetProcessing>(&req, &body)?.apply(&console.controls)?;
    Ok(processing(&console.controls))
}
