//! Workflows that run on a file as soon as it is stored (§8): which are asked for, and what is answered about them.

use serde_json::{Map, Value, json};

use super::State;
use super::later::WORKFLOW_CALLS;
use crate::emulator::apps::App;
use crate::emulator::errors::{Host, Problem};
use crate::emulator::policy::{Grant, Refusal};
use crate::emulator::runs::Run;
use crate::emulator::workflows::Workflow;

/// §11.3.
const MAX_WORKFLOWS: usize = 20;

/// The ids in a store option: a list of ids or of objects with one, the same as text, or one id; `None` for anything else.
pub(super) fn ids(value: Option<&Value>) -> Option<Vec<String>> {
    match value {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(Value::Array(ids)) => ids.iter().map(id).collect(),
        Some(Value::String(text)) if text.starts_with('[') => match serde_json::from_str(text) {
            Ok(Value::Array(ids)) => ids.iter().map(id).collect(),
            _ => None,
        },
        Some(Value::String(text)) => {
            let ids = text.split(',').map(str::trim).filter(|id| !id.is_empty());
            Some(ids.map(str::to_owned).collect())
        }
        Some(_) => None,
    }
}

fn id(value: &Value) -> Option<String> {
    let text = value.as_str().or_else(|| value.get("id")?.as_str())?;
    Some(text.to_owned())
}

/// The workflows with these ids, if the policy lets them run.
pub(super) fn asked(
    host: Host,
    state: &State,
    app: &App,
    grant: &Grant,
    ids: &[String],
) -> Result<Vec<Workflow>, Problem> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    if ids.len() > MAX_WORKFLOWS {
        return Err(Problem::bad(host, "A file runs at most 20 workflows"));
    }
    if !WORKFLOW_CALLS.iter().all(|call| grant.allows(call)) {
        return Err(Problem::refused(host, &app.key, &Refusal::Call));
    }
    let known = state.controls.workflows();
    let find = |id: &String| {
        let missing = || Problem::bad(host, "There is no such workflow in this application");
        known.find(&app.key, &id.to_ascii_lowercase()).ok_or_else(missing)
    };
    ids.iter().map(find).collect()
}

/// Adds to a reply which jobs began.
pub(super) fn tell(reply: &mut Value, runs: &[Run]) {
    if runs.is_empty() {
        return;
    }
    let jobs: Map<String, Value> = runs
        .iter()
        .map(|run| (run.workflow().to_owned(), json!({ "jobid": run.id })))
        .collect();
    reply["workflows"] = jobs.into();
}
