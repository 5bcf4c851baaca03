//! Checks a run against the sequential run.

use crate::base::Error;
use crate::base::log::{Level, set_level};
use crate::base::panic::catch;
use crate::sim::reference_model::{self, ReferenceAnswer};
use crate::sim::setting::SimSetting;
use crate::sim::world::{RunAnswer, RunOutcome, Simulation};
use std::collections::BTreeMap;

/// Runs a setting; returns one line for each error, none if the run was right.
pub fn check_run(setting: &SimSetting) -> Vec<String> {
    check_with_coverage(setting).0
}

/// As `check`, with how often each item of the coverage occurred.
pub fn check_with_coverage(setting: &SimSetting) -> (Vec<String>, BTreeMap<&'static str, u64>) {
    // The runtime logs each death, and thousands of ranks die here.
    set_level(if setting.verbose { Level::Warn } else { Level::Off });
    match catch(|| run(setting)) {
        Ok((outcome, wrong)) => (wrong, outcome.coverage),
        Err(panic) => (vec![format!("it panicked: {}", panic.text())], BTreeMap::new()),
    }
}

/// Runs a setting; returns its outcome and its errors.
pub fn run(setting: &SimSetting) -> (RunOutcome, Vec<String>) {
    let expected = reference_model::reference_answer(&setting.work);
    let world = Simulation::new(setting.clone());
    let outcome = world.run();
    let wrong = find_errors(setting, &outcome, &expected);
    world.end();
    (outcome, wrong)
}

/// The errors of a run.
pub(super) fn find_errors(setting: &SimSetting, outcome: &RunOutcome, expected: &ReferenceAnswer) -> Vec<String> {
    let mut wrong = outcome.violations.clone();
    wrong.extend(outcome.answer.as_ref().and_then(|answer| wrong_answer(setting, answer, expected)));
    wrong.extend(wrong_count(setting, outcome, expected));
    wrong
}

/// The error in an answer, if any: it must be that of the sequential run, or name what died.
fn wrong_answer(setting: &SimSetting, answer: &RunAnswer, expected: &ReferenceAnswer) -> Option<String> {
    let may_lose = !setting.failing_ranks().is_empty() && !setting.survives_deaths();
    let may_skip_calls = setting.store.strict && setting.makes_actors();
    match answer {
        Ok(results) if *results == expected.results => None,
        // A call that never arrived, because its arrays had no space, is missing from the results of its caller's later
        // calls.
        Ok(_) if may_skip_calls => None,
        Ok(results) => Some(format!("the answer is {results:x?}, and {:x?} is right", expected.results)),
        Err(Error::NodeDied { .. } | Error::ObjectLost { .. } | Error::ActorDied { .. }) if may_lose => None,
        Err(Error::ActorDied { .. } | Error::ObjectLost { .. }) if may_skip_calls => None,
        // The text may also stand in the reason of another error.
        Err(error) if setting.store.strict && error.to_string().contains("is full:") => None,
        Err(error) => Some(format!("the answer is that {error}, and {:x?} is right", expected.results)),
    }
}

/// If no rank dies, nothing is reclaimed and nothing is cancelled, each task runs once.
fn wrong_count(setting: &SimSetting, outcome: &RunOutcome, expected: &ReferenceAnswer) -> Option<String> {
    let (alone, begun) = (setting.failing_ranks().is_empty() && !setting.store_pressure, outcome.begun);
    let exactly = alone && !setting.cancels() && !setting.store.strict && outcome.answer.is_some();
    (exactly && begun != expected.tasks).then(|| format!("{begun} tasks were begun, and there are {}", expected.tasks))
}
