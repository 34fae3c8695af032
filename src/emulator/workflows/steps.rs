//! The tasks of a workflow: from text, checked, each with the name of its result.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::emulator::http::is_plain_path;
use crate::emulator::transform::{Source, Task, parse_path};

/// Tasks in one workflow.
const MAX_STEPS: usize = 20;
/// The earliest moment a task could have been added to a workflow in the portal, in milliseconds since 1970.
const FIRST_MS: u64 = 1_600_000_000_000;
/// The one that no URL has (§8).
pub(super) const VIRUS_DETECTION: &str = "virus_detection";
/// §8: others that no URL has.
const NOT_YET: [&str; 3] = ["video_sfw", "video_tagging", "phishing_detection"];

/// One task of a workflow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What its result is called: the action and milliseconds, as the portal names them (§8). They do not change for the same
    /// task of the same workflow.
    pub name: String,
    /// The task, as in delivery URLs.
    pub task: String,
}

impl Step {
    /// What it does; `None` looks for viruses.
    pub(super) fn parsed(&self) -> Result<Option<Task>, String> {
        if self.task == VIRUS_DETECTION {
            return Ok(None);
        }
        if NOT_YET.contains(&self.task.as_str()) {
            return Err(format!("`{}` is not done by the emulator yet", self.task));
        }
        // A made-up source: a task alone is no path.
        let parsed = parse_path(&format!("{}/SOURCE", self.task), &|_| false);
        let parsed = parsed.map_err(|error| error.to_string())?;
        let mut tasks = parsed.tasks;
        let is_whole = parsed.source == Source::Handle("SOURCE".into()) && parsed.security.is_none();
        match (tasks.pop(), tasks.is_empty() && is_whole) {
            (Some(task), true) if can_run(&task) => Ok(Some(task)),
            (Some(Task::NotYet(name)), true) => Err(format!("`{name}` is not done by the emulator yet")),
            _ => Err(format!("a workflow cannot have the task `{}`", self.task)),
        }
    }
}

fn can_run(task: &Task) -> bool {
    match task {
        Task::Store(options) => options.path.as_deref().is_none_or(is_plain_path),
        Task::Cache(_)
        | Task::Debug
        | Task::Fallback(_)
        | Task::Metadata(_)
        | Task::Zip
        | Task::Collage(_)
        | Task::Animate(_)
        | Task::PdfCreate
        | Task::VideoConvert(_)
        | Task::VideoPlaylist
        | Task::RunWorkflow(_)
        | Task::WorkflowStatus(_)
        | Task::TextSentiment(_)
        | Task::NotYet(_) => false,
        _ => true,
    }
}

/// Reads tasks that commas or slashes separate.
pub(super) fn read(workflow: &str, text: &str) -> Result<Vec<Step>, String> {
    let tasks = split(text);
    if tasks.len() > MAX_STEPS {
        return Err(format!("a workflow has at most {MAX_STEPS} tasks"));
    }
    let mut steps = Vec::new();
    for (at, task) in (0..).zip(tasks) {
        let action = task.split('=').next().unwrap_or_default();
        let step = Step {
            name: format!("{action}_{}", added_ms(workflow, at)),
            task,
        };
        step.parsed()?;
        steps.push(step);
    }
    Ok(steps)
}

/// The moment a task was "added": it depends on the workflow's id, so that programs may rely on the name.
fn added_ms(workflow: &str, at: u64) -> u64 {
    let sum = Sha256::digest(workflow);
    let number = sum
        .iter()
        .take(4)
        .fold(0, |number, byte| number << 8 | u64::from(*byte));
    FIRST_MS + number * 20 + at
}

/// Cuts at commas and slashes outside of quotes and brackets. A comma before `name:value` belongs to the task before it.
fn split(text: &str) -> Vec<String> {
    let mut tasks: Vec<String> = Vec::new();
    let (mut quoted, mut depth) = (false, 0_usize);
    let (mut piece, mut mark) = (String::new(), '/');
    let mut push = |piece: &mut String, mark: char| {
        let piece = std::mem::take(piece);
        let value = piece.find(':').unwrap_or(piece.len());
        let is_parameter = mark == ',' && value < piece.find('=').unwrap_or(piece.len());
        match tasks.last_mut() {
            Some(task) if is_parameter => {
                task.push(',');
                task.push_str(&piece);
            }
            _ => tasks.push(piece),
        }
    };
    for letter in text.chars() {
        match letter {
            '"' => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth = depth.saturating_sub(1),
            ',' | '/' if !quoted && depth == 0 => {
                push(&mut piece, mark);
                mark = letter;
                continue;
            }
            _ => {}
        }
        piece.push(letter);
    }
    push(&mut piece, mark);
    tasks
}
