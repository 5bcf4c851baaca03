//! Tests of the module as a whole.

use crate::sim::reference_model;
use crate::sim::scenario::Scenario;
use crate::sim::script::{Features, Program};
use crate::sim::setting::SimSetting;
use crate::sim::world::Simulation;

fn alone(seed: u64) -> SimSetting {
    let mut setting = SimSetting { ranks: 1, faults: Vec::new(), ..SimSetting::random(seed) };
    if let Program::RandomWorkload { features, .. } = &mut setting.work.program {
        *features = features.without(Features::ACTORS);
    }
    setting
}

#[test]
fn a_run_on_one_rank_answers_as_the_sequential_run() {
    for seed in 0..500 {
        let setting = alone(seed);
        let right = reference_model::reference_answer(&setting.work);
        let outcome = Simulation::new(setting).run();
        assert_eq!(outcome.violations, [""; 0], "seed {seed}");
        assert_eq!(outcome.answer, Some(Ok(right.results)), "seed {seed}");
    }
}

#[test]
fn every_scenario_runs_on_one_rank() {
    for (name, scenario) in Scenario::ALL {
        let setting = scenario.setting(1, 1, 100);
        let right = reference_model::reference_answer(&setting.work);
        let world = Simulation::new(setting);
        let outcome = world.run();
        assert_eq!(outcome.answer, Some(Ok(right.results.clone())), "{name}");
        assert_eq!(world.node(0).counters().tasks, right.tasks, "{name}");
        assert!(world.now_ns() >= right.total_compute_ns(), "{name}");
    }
}

#[test]
fn a_dropped_world_is_freed() {
    for seed in 0..50 {
        let world = Simulation::new(alone(seed));
        world.run();
        let left = std::sync::Arc::downgrade(&world);
        drop(world);
        assert!(left.upgrade().is_none(), "seed {seed}");
    }
}
