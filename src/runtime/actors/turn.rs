//! Actors on this rank's workers: runs their constructors and calls as the protocol orders.

use crate::base::arc_pool::Recycled;
use crate::protocol::{ActorInstance, ActorStep, CallSetting, WorkId, failed_argument, request_of_actor};
use crate::registry::{ActorState, Runnable};
use crate::runtime::memory::Quota;
use crate::runtime::tasks::context::TaskContext;
use crate::runtime::workers::worker::{self, Worker};
use crate::runtime::workers::{TaskCores, Work};
use crate::runtime::{Runtime, membership, resources, tasks};
use crate::scheduling::{Grant, ResourceRequest};
use std::sync::Arc;

/// Calls that an actor runs before its worker takes other work.
const TURN_CALLS: usize = 64;

/// What an actor has until it ends.
struct ActorData {
    quota: Option<Arc<Quota>>,
    cores: Option<Arc<TaskCores>>,
}

/// Runs an actor's constructor or next calls, on the calling worker's fiber.
pub fn run_actor(runtime: &'static Runtime, worker: &'static Worker, instance: &Arc<ActorInstance>) {
    // Its calls switch to its cores.
    let _own_cores = worker.switch_back_later();
    // The same for all calls, from the constructor on.
    let mut setting: Option<CallSetting> = None;
    for _ in 0..TURN_CALLS {
        match instance.next_step(&runtime) {
            ActorStep::Admit(request) => {
                let Some(grant) = admit(runtime, &request) else {
                    return resources::queue_for_resources(runtime, request, Work::Actor(instance.clone()));
                };
                if let Some((grant, cpu)) = instance.on_admitted(grant) {
                    runtime.give_back(&grant);
                    runtime.give_back_cpu(cpu);
                }
            }
            ActorStep::Construct(task) => {
                let options = task.header().options.as_ref();
                let quota = options.and_then(|options| Quota::new(options, &instance.label()));
                let cores = options.and_then(|options| worker.take_cores(&request_of_actor(options)));
                if quota.is_some() || cores.is_some() {
                    instance.attach(Arc::new(ActorData { quota, cores }));
                }
                let mut state = None;
                run_call(runtime, instance, &instance.call_setting(), &task, &mut state);
                instance.on_constructed(&runtime, &task, state);
            }
            ActorStep::Call(task, mut state) => {
                let task = Recycled::new(task);
                let setting = setting.get_or_insert_with(|| instance.call_setting());
                run_call(runtime, instance, setting, &task, &mut state);
                instance.on_called(&runtime, &task, state);
            }
            ActorStep::Idle => return,
        }
    }
    // Other work has waited long enough.
    runtime.push(Work::Actor(instance.clone()));
}

/// Takes the resources that an actor requests for its lifetime.
fn admit(runtime: &'static Runtime, request: &ResourceRequest) -> Option<Grant> {
    let grant = runtime.resources.table.take_non_cpu(request)?;
    if runtime.resources.table.take_cpu(request.cpu) {
        return Some(grant);
    }
    runtime.give_back(&grant);
    None
}

/// Runs one call, or fails it with the error of one of its arguments.
pub fn run_call(
    runtime: &'static Runtime,
    instance: &ActorInstance,
    setting: &CallSetting,
    task: &Arc<dyn Runnable>,
    state: &mut ActorState,
) {
    let header = task.header();
    if !header.claim_waiting() {
        return;
    }
    if let Some(error) = failed_argument(task) {
        return task.fail(error);
    }
    let CallSetting { label, gpus, env_data } = setting;
    let data = env_data.as_deref().and_then(|data| data.downcast_ref::<ActorData>());
    let worker = worker::here();
    let before = worker.map(|worker| {
        worker.shared.set_running(header.entry);
        worker.running_cpu.replace(0)
    });
    if let (Some(worker), Some(data)) = (worker, data) {
        worker.replace_cores(data.cores.clone());
    }
    let quota = data.and_then(|data| data.quota.as_ref());
    let context = TaskContext::of_call(task, gpus, (instance.id, label), quota);
    // Its owner is to know of it if it ends this rank.
    let is_others = instance.id.owner != runtime.cluster.rank;
    let _begun = is_others.then(|| {
        let function = header.entry.map_or(0, |entry| entry.key);
        membership::begin(runtime, worker, WorkId::Actor(instance.id), function, context.number())
    });
    tasks::run_body(runtime, task, &context, worker, state);
    if let (Some(worker), Some(before)) = (worker, before) {
        worker.running_cpu.replace(before);
    }
}
