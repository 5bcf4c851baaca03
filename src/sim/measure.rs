//! The cost of a run of a known shape, beside what it would cost at best.

use crate::sim::check::find_errors;
use crate::sim::network::Traffic;
use crate::sim::reference_model;
use crate::sim::scenario::Scenario;
use crate::sim::world::Simulation;
use std::fmt;

/// A run of a scenario, measured.
#[derive(Clone, Debug)]
pub struct Measurement {
    /// Its shape.
    pub scenario: Scenario,
    /// Its seed.
    pub seed: u64,
    /// How many ranks, of one worker each.
    pub ranks: u32,
    /// Tasks that ran, the driver's own script included.
    pub tasks: u64,
    /// Simulated time until the driver had its answer.
    pub makespan_ns: u64,
    /// No run takes less: all compute time, shared by all workers, or the longest task, or the time that the busiest
    /// script takes to create its tasks.
    pub ideal_ns: u64,
    /// The same for workers that all draw from one queue which costs nothing, and that know no task's length before it
    /// ends.
    pub one_queue_ns: u64,
    /// The part of their time in which the workers were idle.
    pub idle: f64,
    /// Messages between ranks.
    pub traffic: Traffic,
    /// Events of the simulation.
    pub events: u64,
    /// What was wrong.
    pub errors: Vec<String>,
}

/// Runs a scenario with so many tasks for each rank.
pub fn measure(scenario: Scenario, seed: u64, ranks: u32, tasks_a_rank: u32) -> Measurement {
    let setting = scenario.setting(seed, ranks, tasks_a_rank);
    let expected = reference_model::reference_answer(&setting.work);
    let workers = (ranks * setting.workers) as usize;
    let spawning_ns = expected.spawned_max * setting.costs.spawn_ns;
    let world = Simulation::new(setting);
    let outcome = world.run();
    let errors = find_errors(&world.setting, &outcome, &expected);
    let makespan_ns = outcome.answered_ns.max(1);
    let busy_ns: u64 = (0..ranks).map(|rank| world.node(rank).counters().busy_ns).sum();
    world.end();
    Measurement {
        scenario,
        seed,
        ranks,
        tasks: expected.tasks,
        makespan_ns,
        ideal_ns: expected.lower_bound_ns(workers).max(spawning_ns),
        one_queue_ns: expected.one_queue_ns(workers).max(spawning_ns),
        idle: 1.0 - busy_ns as f64 / (makespan_ns * workers as u64) as f64,
        traffic: outcome.traffic,
        events: outcome.events,
        errors,
    }
}

impl fmt::Display for Measurement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Traffic { messages, bytes, runs, steals, steal_replies, moved, counts } = self.traffic;
        let a_task = |count: u64| count as f64 / self.tasks as f64;
        write!(
            formatter,
            "{:<14} {:>6} ranks {:>8} tasks: {:>9.3} ms, ideal {:>8.3} ms, one queue {:>8.3} ms, idle {:>4.1} %; \
             a task: {:.2} messages of {:.0} bytes ({:.2} runs, {:.2} moved, {:.2} counts); a rank: {:.1} steals, \
             {:.1} with tasks",
            self.scenario.name(),
            self.ranks,
            self.tasks,
            self.makespan_ns as f64 / 1e6,
            self.ideal_ns as f64 / 1e6,
            self.one_queue_ns as f64 / 1e6,
            self.idle * 100.0,
            a_task(messages),
            bytes as f64 / messages.max(1) as f64,
            a_task(runs),
            a_task(moved),
            a_task(counts),
            steals as f64 / f64::from(self.ranks),
            steal_replies as f64 / f64::from(self.ranks),
        )
    }
}
