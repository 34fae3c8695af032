//! What a person does with our pages, in Chromium.

mod journey;
mod looks;
mod without_scripts;
