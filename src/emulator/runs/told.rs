//! Telling of the end of runs: `fs.workflow`, and for a conversion its own completed object (§7.2).

use std::io;

use super::record::{Run, Work};
use crate::emulator::ids::is_handle;
use crate::emulator::webhooks::{Event, Webhooks};

/// Hands the event over to who delivers webhooks, which keeps it.
pub(super) fn tell(run: &Run, webhooks: &Webhooks) -> io::Result<()> {
    let handle = Some(run.source.as_str()).filter(|source| is_handle(source));
    let event = match &run.work {
        Work::Workflow(_) => Event::new("fs.workflow", handle, run.workflow_event()),
        Work::Video(_) => Event::whole("video", handle, run.conversion(&run.base)),
    };
    webhooks.emit(&run.app, &event).map(drop)
}
