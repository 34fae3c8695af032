//! Parameters that a task cannot do without (§6). Those of tasks that are carried out are asked for where they get their types.

use super::CheckedArgs;
use crate::emulator::transform::error::GrammarError;

/// Refuses a task that lacks what it needs.
pub(super) fn check(args: &CheckedArgs) -> Result<(), GrammarError> {
    let all = |names: &[&str]| names.iter().all(|name| args.has(name));
    let any = |names: &[&str]| names.iter().any(|name| args.has(name));
    let lack = match args.task {
        "partial_blur" | "partial_pixelate" if !all(&["objects"]) => "it needs `objects`",
        "watermark" if !all(&["file"]) => "it needs the `file` to lay over the picture",
        "collage" if !all(&["width", "height"]) => "it needs `width` and `height`",
        "pdfconvert" if !any(&["pageorientation", "pageformat", "pages", "metadata"]) => {
            "it needs `pageorientation`, `pageformat` or `pages`"
        }
        "text_sentiment" if !all(&["text"]) => "it needs a `text`",
        "run_workflow" if !all(&["id"]) => "it needs the `id` of a workflow",
        "workflow_status" if !any(&["job_id", "id"]) => "it needs a `job_id`",
        _ => return Ok(()),
    };
    Err(GrammarError::InvalidTask {
        task: args.task,
        reason: lack,
    })
}
