//! What a person does with our pages, in Chromium.

mod axe;
mod checklist;
mod direct;
mod docs;
mod journey;
mod looks;
mod picker;
mod troubles;
mod without_scripts;
