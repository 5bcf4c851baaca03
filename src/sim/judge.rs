//! Whether a run was right.

use crate::base::Error;
use crate::base::log::{Level, set_level};
use crate::objects::panic_text;
use crate::sim::oracle::{self, Answer as Right};
use crate::sim::setting::Setting;
use crate::sim::world::{Answer, Outcome, World};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs a setting; what was wrong, in lines, of which there are none where nothing was.
pub fn judge(setting: &Setting) -> Vec<String> {
    tried(setting).0
}

/// As `judge`, with how often what occurred.
pub fn tried(setting: &Setting) -> (Vec<String>, BTreeMap<&'static str, u64>) {
    // What the runtime says of deaths is said of thousands here.
    set_level(if setting.aloud { Level::Warn } else { Level::Off });
    match catch_unwind(AssertUnwindSafe(|| run(setting))) {
        Ok((outcome, wrong)) => (wrong, outcome.feats),
        Err(panic) => (vec![format!("it panicked: {}", panic_text(&*panic))], BTreeMap::new()),
    }
}

/// Runs a setting: what it came to, and what was wrong.
pub fn run(setting: &Setting) -> (Outcome, Vec<String>) {
    let right = oracle::answer(&setting.work);
    let world = World::new(setting.clone());
    let outcome = world.run();
    let wrong = judged(&world, &outcome, &right);
    world.end();
    (outcome, wrong)
}

/// What was wrong with a run.
pub(super) fn judged(world: &World, outcome: &Outcome, right: &Right) -> Vec<String> {
    let setting = &world.setting;
    let mut wrong = outcome.violations.clone();
    wrong.extend(outcome.answer.as_ref().and_then(|answer| wrong_answer(setting, answer, right)));
    wrong.extend(wrong_count(setting, outcome, right, world.scripts_begun()));
    wrong
}

/// What is wrong with an answer: it must be that of the sequential run, or name what died.
fn wrong_answer(setting: &Setting, answer: &Answer, right: &Right) -> Option<String> {
    match answer {
        Ok(results) if *results == right.results => None,
        // A call that never arrived, because its arrays had no room, is missing from what the later ones of its caller give.
        Ok(_) if setting.store.strict && setting.makes_actors() => None,
        Ok(results) => Some(format!("the answer is {results:x?}, and {:x?} is right", right.results)),
        Err(Error::NodeDied { .. } | Error::ObjectLost { .. } | Error::ActorDied { .. })
            if !setting.doomed().is_empty() && !setting.outlives_deaths() =>
        {
            None
        }
        Err(Error::ActorDied { .. } | Error::ObjectLost { .. }) if setting.store.strict && setting.makes_actors() => {
            None
        }
        // Where it stands in the reason of another, too.
        Err(error) if setting.store.strict && error.to_string().contains("is full:") => None,
        Err(error) => Some(format!("the answer is that {error}, and {:x?} is right", right.results)),
    }
}

/// Where no rank dies, nothing is let go and nothing is cancelled, each task runs once.
fn wrong_count(setting: &Setting, outcome: &Outcome, right: &Right, begun: u64) -> Option<String> {
    let alone = setting.doomed().is_empty() && !setting.crowded && !setting.cancels() && !setting.store.strict;
    let exactly = alone && outcome.answer.is_some();
    (exactly && begun != right.tasks).then(|| format!("{begun} tasks were begun, and there are {}", right.tasks))
}
