//! Which webhooks to list.

use serde::Deserialize;

use super::book::{Entry, Key};
use super::record::WebhookState;

/// Which webhooks to list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookFilter {
    /// Those in this state.
    pub state: Option<WebhookState>,
    /// Those to this endpoint.
    pub endpoint: Option<String>,
    /// Those of this action.
    pub action: Option<String>,
    /// Those about this file.
    pub handle: Option<String>,
    /// Those of this event.
    pub event: Option<u64>,
    /// Those of earlier events than this one.
    pub before: Option<u64>,
    /// No more than so many; 100 when it is not said.
    pub limit: Option<usize>,
}

impl WebhookFilter {
    pub(super) fn picks(&self, key: &Key, entry: &Entry) -> bool {
        let is = |wanted: &Option<String>, own: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| Some(wanted) == own)
        };
        self.state.is_none_or(|state| state == entry.state)
            && is(&self.endpoint, Some(&key.endpoint))
            && is(&self.action, Some(&entry.action))
            && is(&self.handle, entry.handle.as_deref())
            && self.event.is_none_or(|event| event == key.event)
            && self.before.is_none_or(|before| key.event < before)
    }
}
