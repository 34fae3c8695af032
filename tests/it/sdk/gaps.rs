//! What the emulator does not do yet. A step that is listed here has to fail: once the emulator does it, its line goes.

use super::bench::Sdk;
use super::report::Report;

/// Steps of the drivers, with the section each belongs to.
pub const GAPS: &[(&str, &str)] = &[];

/// Whether a step is one that the emulator does not do yet; that it really does not is checked here.
#[track_caller]
pub fn is_gap(report: &Report, step: &str) -> bool {
    let gap = GAPS.iter().find(|(name, _)| *name == step);
    if let Some((name, section)) = gap {
        let failed = report.failure(name);
        assert!(
            !matches!(failed.status, Some(401 | 403 | 404)),
            "`{name}` ({section}) was refused for another reason: {failed:?}"
        );
    }
    gap.is_some()
}

/// A name in the list that no driver has would never be found out.
#[test]
fn every_gap_is_a_step_of_a_driver() {
    for sdk in [Sdk::Python, Sdk::JavaScript4] {
        let driver = std::fs::read_to_string(sdk.driver("files")).expect("the driver is there");
        for (name, _) in GAPS {
            let quoted = [format!("step(\"{name}\""), format!("step('{name}'")];
            let only_python = *name == "overwrite from a url" && sdk != Sdk::Python;
            assert!(
                only_python || quoted.iter().any(|step| driver.contains(step)),
                "{sdk:?} has no step `{name}`"
            );
        }
    }
}
