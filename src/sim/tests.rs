//! The room as a whole.

use crate::sim::oracle;
use crate::sim::scenario::Scenario;
use crate::sim::script::{Features, Program};
use crate::sim::setting::Setting;
use crate::sim::world::World;

fn alone(seed: u64) -> Setting {
    let mut setting = Setting { ranks: 1, faults: Vec::new(), ..Setting::random(seed) };
    if let Program::Wander { features, .. } = &mut setting.work.program {
        *features = features.without(Features::ACTORS);
    }
    setting
}

#[test]
fn one_rank_answers_as_the_sequential_run() {
    for seed in 0..500 {
        let setting = alone(seed);
        let right = oracle::answer(&setting.work);
        let outcome = World::new(setting).run();
        assert_eq!(outcome.violations, [""; 0], "seed {seed}");
        assert_eq!(outcome.answer, Some(Ok(right.results)), "seed {seed}");
    }
}

#[test]
fn every_scenario_runs_on_one_rank() {
    for (name, scenario) in Scenario::ALL {
        let setting = scenario.setting(1, 1, 100);
        let right = oracle::answer(&setting.work);
        let world = World::new(setting);
        let outcome = world.run();
        assert_eq!(outcome.answer, Some(Ok(right.results.clone())), "{name}");
        assert_eq!(world.site(0).tally().tasks, right.tasks, "{name}");
        assert!(world.now_ns() >= right.burnt_ns(), "{name}");
    }
}

#[test]
fn nothing_is_left_of_a_world() {
    for seed in 0..50 {
        let world = World::new(alone(seed));
        world.run();
        let left = std::sync::Arc::downgrade(&world);
        drop(world);
        assert!(left.upgrade().is_none(), "seed {seed}");
    }
}
